//! E-mail addresses and moments, and what looks like them.

use proptest::prelude::*;
use proptest::sample::select;

/// Addresses that anybody takes, addresses that some take, and others.
pub(crate) fn emails() -> BoxedStrategy<String> {
    let usual = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,8}(\\.[a-z0-9]{1,4}){0,2}\
                 @[a-z0-9]{1,8}(\\.[a-z][a-z0-9-]{0,5}[a-z0-9]){0,2}";
    let long = select(vec![
        (64, 3),
        (65, 3),
        (1021, 1),
        (1022, 1),
        (1023, 1),
        (1024, 1),
        (3, 63),
        (3, 64),
        (3, 252),
        (3, 253),
        (3, 254),
        (3, 1020),
        (3, 1021),
    ])
    .prop_map(|(local, domain)| {
        let label = "d".repeat(61) + "."; // the last one is at most 63 with this one's dot
        let mut host = label.repeat(if domain < 65 { 0 } else { (domain - 1) / 62 });
        host.push_str(&"d".repeat(domain - host.len()));
        format!("{}@{host}", "l".repeat(local))
    });
    prop_oneof![
        60 => usual,
        2 => long,
        6 => select(ODD_EMAILS).prop_map(str::to_owned),
        2 => "[ab.]{0,4}@{0,2}[ab.\\[\\]-]{0,6}",
        1 => "[a\"\\\\ @<>(),:;.\u{e9}\u{1f600}]{0,6}@[ab.\u{e9}_-]{0,6}",
        1 => "a@(xn--)?[a-z0-9-]{1,6}",
        1 => ".{0,20}",
    ]
    .boxed()
}

const ODD_EMAILS: &[&str] = &[
    "",
    "@",
    "a",
    "a@",
    "@b",
    "a@b",
    "a@b@c",
    "A@B.C",
    "a@1.2",
    "a@127.0.0.1",
    "a@[127.0.0.1]",
    "a@[IPv6:::1]",
    "a@[b]",
    "a@-b",
    "a@b-",
    "a@b_c",
    "a@b..c",
    "a@b.",
    "a@.b",
    ".a@b",
    "a.@b",
    "a..b@c",
    "\"a b\"@c",
    "\"\"@c",
    "\"@\"@c",
    "a b@c",
    " a@b",
    "a@b ",
    "a@b\n",
    "a\0@b",
    "Ada <a@b>",
    "<a@b>",
    "a(b)@c",
    "\u{e4}@b",
    "a@\u{e4}",
    "a@b\u{ff0e}c",
    "a@xn--nxasmq6b",
    "a@xn--a",
    "a@ab--c",
    "mailto:a@b",
];

/// Moments in every shape that has been seen.
pub(crate) fn moments() -> BoxedStrategy<String> {
    let two = |usual: std::ops::Range<u32>, most: u32| {
        prop_oneof![60 => usual, 1 => 0..most].prop_map(|n| format!("{n:02}"))
    };
    let year = prop_oneof![
        30 => "(19|20)[0-9]{2}",
        2 => select(&["0000", "0001", "9999"][..]).prop_map(str::to_owned),
        1 => "[0-9]{3,5}",
        1 => "[+-][0-9]{4,6}",
    ];
    let date = (year, two(1..13, 15), two(1..29, 33))
        .prop_map(|(year, month, day)| format!("{year}-{month}-{day}"));
    let edge = select(&["0000-01-01", "9999-12-30", "9999-12-31", "2016-12-31", "2016-02-30"][..]);
    let date = prop_oneof![20 => date, 3 => edge.prop_map(str::to_owned)];
    let between = prop_oneof![
        40 => Just("T"),
        4 => Just("t"),
        6 => select(&[" ", "\t", "\n", "\r", "_", "", "  ", "\u{b}", "\u{a0}"][..]),
    ];
    let seconds = prop_oneof![40 => two(0..60, 63), 3 => Just("60".to_owned())];
    let time = (two(0..24, 26), two(0..60, 62), seconds)
        .prop_map(|(hour, minute, second)| format!("{hour}:{minute}:{second}"));
    let midnight = select(&["23:59:60", "22:59:60", "24:00:00", "00:00", "000000"][..]);
    let time = prop_oneof![30 => time, 3 => midnight.prop_map(str::to_owned)];
    let fraction = prop_oneof![
        10 => Just(String::new()),
        10 => "\\.[0-9]{3}",
        4 => "\\.[0-9]{1,12}",
        1 => select(&[".", ",5", ".5.", ".\u{661}"][..]).prop_map(str::to_owned),
    ];
    let zone = prop_oneof![
        30 => Just("Z".to_owned()),
        3 => Just("z".to_owned()),
        6 => Just(String::new()),
        20 => "[+-](0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]",
        4 => "[+-][0-2][0-9](:?[0-6][0-9])?",
        1 => "[+-][0-9]{0,5}",
        1 => select(&["UTC", " Z", "Zx", "+01:00:00", "\u{2212}01:00"][..]).prop_map(str::to_owned),
    ];
    let put_together = (date, between, time, fraction, zone)
        .prop_map(|(date, t, time, fraction, zone)| format!("{date}{t}{time}{fraction}{zone}"));
    let odd = select(&["", "now", "0", "1465790400000", "2016-06-13", "2016-W24-1T00:00:00Z"][..]);
    prop_oneof![60 => put_together, 1 => odd.prop_map(str::to_owned), 1 => ".{0,24}"].boxed()
}
