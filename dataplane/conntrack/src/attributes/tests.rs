//! The rules for attributes, case by case.

use super::*;

fn check(attributes: Attributes) -> Result<Checked, AttributeError> {
    attributes.check(&Profiles::default(), Permissions::new(0x3dfc).expect("14 bits"))
}

fn id(number: u32) -> ProfileId {
    ProfileId::new(number).expect("below 16")
}

#[test]
fn a_new_entry_is_static_unless_it_says_otherwise() {
    let of = |attributes| check(attributes).and_then(|checked| checked.timer_of_new());
    let plain = Attributes::default();
    assert_eq!(of(plain), Ok(Timer::Static));
    assert_eq!(of(Attributes { dynamic: Some(false), ..plain }), Ok(Timer::Static));
    let dynamic = Attributes { dynamic: Some(true), ..plain };
    assert_eq!(of(dynamic), Ok(Timer::Of(id(0))));
    assert_eq!(of(Attributes { profile_id: Some(2), ..dynamic }), Ok(Timer::Of(id(2))));
    assert_eq!(of(Attributes { aging_ms: Some(120_000), ..dynamic }), Ok(Timer::Of(id(3))));
    let alone = Attributes { profile_id: Some(2), ..plain };
    assert_eq!(of(alone), Err(AttributeError::NotAlongside(Field::ProfileId)));
    let alone = Attributes { aging_ms: Some(60_000), dynamic: Some(false), ..plain };
    assert_eq!(of(alone), Err(AttributeError::NotAlongside(Field::AgingMs)));
}

#[test]
fn an_update_keeps_what_it_does_not_name() {
    let of = |attributes, was| check(attributes).and_then(|checked| checked.timer_of_known(was));
    let plain = Attributes::default();
    assert_eq!(of(plain, false), Ok(Timer::Static));
    assert_eq!(of(plain, true), Ok(Timer::Kept));
    let dynamic = Attributes { dynamic: Some(true), ..plain };
    assert_eq!(of(dynamic, false), Ok(Timer::Of(id(0))));
    assert_eq!(of(dynamic, true), Ok(Timer::Of(id(0))));
    let profile = Attributes { profile_id: Some(1), ..plain };
    assert_eq!(of(profile, true), Ok(Timer::Of(id(1))));
    assert_eq!(of(profile, false), Err(AttributeError::StaticEntry(Field::ProfileId)));
    let fixed = Attributes { dynamic: Some(false), ..plain };
    assert_eq!(of(fixed, false), Ok(Timer::Static));
    assert_eq!(of(fixed, true), Err(AttributeError::DynamicEntry));
}

#[test]
fn each_fault_names_its_field() {
    let plain = Attributes::default();
    for (attributes, field, text) in [
        (Attributes { profile_id: Some(16), ..plain }, Field::ProfileId, "16 is not in 0 to 15"),
        (Attributes { profile_id: Some(4), ..plain }, Field::ProfileId, "there is no timer profile 4"),
        (Attributes { aging_ms: Some(5), ..plain }, Field::AgingMs, "5 doesn't match any timer profile"),
        (
            Attributes { aging_ms: Some(30_000), profile_id: Some(0), ..plain },
            Field::AgingMs,
            "either aging or a profile may be given, not both",
        ),
        (
            Attributes { permissions: Some(0x4000), ..plain },
            Field::Permissions,
            "0x4000 has bits outside of 0x3fff",
        ),
        (
            Attributes { permissions: Some(0x1002), ..plain },
            Field::Permissions,
            "0x1002 is not a subset of the table's 0x3dfc",
        ),
        (
            Attributes { permissions: Some(0x40), ..plain },
            Field::Permissions,
            "0x40 has a create bit, which an entry cannot have",
        ),
    ] {
        let error = check(attributes).expect_err("refused");
        assert_eq!(error.field(), field, "{attributes:?}");
        assert_eq!(alloc::format!("{error}"), text);
    }
}
