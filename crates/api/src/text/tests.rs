use super::*;
use crate::wire;
use serde_json::json;

fn problem<T: Wire + std::fmt::Debug>(value: Value) -> String {
    wire::read::<T>("x", value).unwrap_err()[0].to_string()
}

#[test]
fn lengths_count_characters() {
    assert!(wire::read::<Text<1, 2>>("x", json!("éé")).is_ok());
    assert_eq!(problem::<Text<1, 2>>(json!("ééé")), "x has longer length than allowed");
    assert_eq!(problem::<Text<1, 2>>(json!("")), "x has less length than allowed");
}

#[test]
fn numbers_in_parameters_are_digits() {
    type PerPage = Whole<1, 1000>;
    assert_eq!(wire::read::<PerPage>("x", json!("0010")), Ok(Whole(10)));
    assert_eq!(problem::<PerPage>(json!("0")), "x is less than minimum");
    assert_eq!(problem::<PerPage>(json!("-1")), "x is less than minimum");
    assert_eq!(problem::<PerPage>(json!("1001")), "x is more than maximum");
    assert_eq!(problem::<PerPage>(json!("9".repeat(400))), "x is more than maximum");
    for bad in ["1.5", "1e2", "+1", " 1", "-", "ten", "0x1"] {
        assert_eq!(problem::<PerPage>(json!(bad)), "x is the wrong type", "{bad}");
    }
    assert_eq!(problem::<PerPage>(json!(1.5)), "x is the wrong type");
    assert_eq!(wire::read::<PerPage>("x", json!(2.0)), Ok(Whole(2)));
}

#[test]
fn tags_name_the_key_that_is_wrong() {
    assert_eq!(problem::<Tags>(json!({ "a b": "c" })), "x.a b is an additional property");
    assert_eq!(problem::<Tags>(json!({ "a": "" })), "x.a has less length than allowed");
    assert_eq!(problem::<Tags>(json!({ "a": 1 })), "x.a is the wrong type");
    assert_eq!(problem::<Tags>(json!(null)), "x is the wrong type");
}

#[test]
fn tags_are_a_thousand_at_most() {
    let tags = |count| (0..count).map(|n| (n.to_string(), json!("v"))).collect::<Value>();
    assert_eq!(wire::read::<Tags>("x", tags(Tags::MOST)).unwrap().0.len(), 1000);
    assert_eq!(problem::<Tags>(tags(Tags::MOST + 1)), "x has more properties than allowed");
}

#[test]
fn only_three_words_are_true() {
    for (text, on) in [("true", true), ("1", true), ("yes", true), ("True", false), ("0", false)] {
        assert_eq!(wire::read::<Flag>("x", json!(text)), Ok(Flag(on)), "{text}");
    }
}
