//! The rules for attributes, case by case.

use super::*;

fn check(attributes: Attributes, target: Target) -> Result<Checked, alloc::vec::Vec<AttributeError>> {
    let table = Permissions::new(0x3dfc).expect("14 bits");
    attributes.check(&Profiles::default(), table, target).map_err(|violations| violations.iter().collect())
}

fn id(number: u32) -> ProfileId {
    ProfileId::new(number).expect("below 16")
}

#[test]
fn a_new_entry_is_static_unless_it_says_otherwise() {
    let of = |attributes| check(attributes, Target::New).map(|checked| checked.timer);
    let plain = Attributes::default();
    assert_eq!(of(plain), Ok(Timer::Static));
    assert_eq!(of(Attributes { dynamic: Some(false), ..plain }), Ok(Timer::Static));
    let dynamic = Attributes { dynamic: Some(true), ..plain };
    assert_eq!(of(dynamic), Ok(Timer::Of(id(0))));
    assert_eq!(of(Attributes { profile_id: Some(2), ..dynamic }), Ok(Timer::Of(id(2))));
    assert_eq!(of(Attributes { aging_ms: Some(120_000), ..dynamic }), Ok(Timer::Of(id(3))));
    let alone = Attributes { profile_id: Some(2), ..plain };
    assert_eq!(of(alone), Err(alloc::vec![AttributeError::NotAlongside(Field::ProfileId)]));
    let alone = Attributes { aging_ms: Some(60_000), dynamic: Some(false), ..plain };
    assert_eq!(of(alone), Err(alloc::vec![AttributeError::NotAlongside(Field::AgingMs)]));
}

#[test]
fn an_update_keeps_what_it_does_not_name() {
    let of = |attributes, dynamic| check(attributes, Target::Known { dynamic }).map(|checked| checked.timer);
    let plain = Attributes::default();
    assert_eq!(of(plain, false), Ok(Timer::Static));
    assert_eq!(of(plain, true), Ok(Timer::Kept));
    let dynamic = Attributes { dynamic: Some(true), ..plain };
    assert_eq!(of(dynamic, false), Ok(Timer::Of(id(0))));
    assert_eq!(of(dynamic, true), Ok(Timer::Of(id(0))));
    let profile = Attributes { profile_id: Some(1), ..plain };
    assert_eq!(of(profile, true), Ok(Timer::Of(id(1))));
    assert_eq!(of(profile, false), Err(alloc::vec![AttributeError::StaticEntry(Field::ProfileId)]));
    let fixed = Attributes { dynamic: Some(false), ..plain };
    assert_eq!(of(fixed, false), Ok(Timer::Static));
    assert_eq!(of(fixed, true), Err(alloc::vec![AttributeError::DynamicEntry]));
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
        let errors = check(attributes, Target::Unknown).expect_err("refused");
        assert_eq!(errors[0].field(), field, "{attributes:?}");
        assert_eq!(alloc::format!("{}", errors[0]), text);
        assert_eq!(errors.len(), 1, "{errors:?}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    use AttributeError as E;
    let table = Permissions::new(0x3dfc).expect("14 bits");
    let wrong =
        Attributes { dynamic: Some(false), profile_id: Some(16), aging_ms: Some(5), permissions: Some(0x42) };
    let every = [
        E::BothGiven,
        E::ProfileRange(16),
        E::AgingUnknown(5),
        E::PermissionsCreateBit(0x42),
        E::PermissionsBeyondTable { asked: 0x42, table },
    ];
    let with = |more: &[AttributeError]| Err([&every, more].concat());
    assert_eq!(check(wrong, Target::Unknown), with(&[]));
    let (profile, aging) = (Field::ProfileId, Field::AgingMs);
    assert_eq!(check(wrong, Target::New), with(&[E::NotAlongside(profile), E::NotAlongside(aging)]));
    assert_eq!(check(wrong, Target::Known { dynamic: true }), with(&[E::DynamicEntry]));
    let of_static = [E::StaticEntry(profile), E::StaticEntry(aging)];
    assert_eq!(check(wrong, Target::Known { dynamic: false }), with(&of_static));
}
