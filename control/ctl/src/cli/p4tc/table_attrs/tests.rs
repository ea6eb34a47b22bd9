use super::*;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn table_attributes_are_read_in_any_order() {
    let profile = |profile_id, aging_ms| TimerProfile { profile_id, aging_ms };
    let text = "tbl_attrs timer_profile id 0 aging 5000 tbl_permissions 0x3dfc timer_profile aging 7 id 0x1";
    let change = TableChange { profiles: vec![profile(0, 5000), profile(1, 7)], permissions: Some(0x3dfc) };
    assert_eq!(read(&mut Words(&words(text))).unwrap(), change);
    for (text, message) in [
        ("", "Must specify table attributes"),
        ("timer_profile id 1", "Must specify both id and aging of a timer profile"),
        ("timer_profile aging 1", "Must specify both id and aging of a timer profile"),
        ("timer_profile id", "\"id\" has no value"),
        ("timer_profile id 99999999999 aging 5", "id: 99999999999 is not in 0 to 15"),
        (
            "timer_profile id 1 aging 99999999999999999999",
            "aging: 99999999999999999999 is not in 1 to 864000000",
        ),
        ("default_miss_action action x", "Default actions cannot be changed"),
        ("colour red", "Unknown table attribute \"colour\""),
    ] {
        let refused = read(&mut Words(&words(&format!("tbl_attrs {text}")))).unwrap_err();
        assert_eq!(refused.message(), message, "{text}");
    }
}
