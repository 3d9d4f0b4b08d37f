//! Bodies near those that a schema describes: what it allows, what lies just beside it, and what
//! has nothing to do with it.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// Values near what `schema` describes. Most fields of most of them are good, so that a body of
/// many fields is good often enough.
pub(crate) fn near(schema: &Value) -> BoxedStrategy<Value> {
    let good = match kind(schema) {
        "object" => object(schema),
        "array" => array(schema),
        "integer" => whole_numbers(),
        "null" => Just(Value::Null).boxed(),
        "oneOf" => {
            let schemas = schema["oneOf"].as_array().expect("oneOf is a list");
            proptest::strategy::Union::new(schemas.iter().map(near)).boxed()
        }
        _ => strings(schema),
    };
    // Other types by the hundred would teach no more than a few do.
    prop_oneof![60 => good, 1 => anything()].boxed()
}

fn kind(schema: &Value) -> &str {
    let kind = &schema["type"];
    let kind = kind.as_str().or_else(|| kind[0].as_str());
    kind.unwrap_or(if schema["oneOf"].is_array() { "oneOf" } else { "" })
}

/// Any JSON at all.
pub(crate) fn anything() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
    .boxed()
}

/// Names that are fields of something, or trouble elsewhere.
pub(crate) const STRANGE: [&str; 10] = [
    "id",
    "_type",
    "_links",
    "avatarUrl",
    "experienceGroups",
    "Email",
    "password ",
    "",
    "a.b",
    "__proto__",
];

fn object(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(patterns) = schema["patternProperties"].as_object() {
        let (_, value) = patterns.iter().next().expect("a pattern");
        let field = (keys(), near(value));
        let few = prop::collection::vec(field.clone(), 0..4);
        let fields = prop_oneof![20 => few, 1 => prop::collection::vec(field, 40..60)];
        return fields.prop_map(|fields| Value::Object(fields.into_iter().collect())).boxed();
    }
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let fields: Vec<BoxedStrategy<Option<(String, Value)>>> = schema["properties"]
        .as_object()
        .expect("properties")
        .iter()
        .map(|(name, schema)| {
            let there = if required.contains(&json!(name)) { 0.97 } else { 0.5 };
            let name = name.clone();
            prop::option::weighted(there, near(schema).prop_map(move |v| (name.clone(), v))).boxed()
        })
        .collect();
    let strange = (select(&STRANGE[..]), anything()).prop_map(|(name, v)| (name.to_owned(), v));
    let strange = prop::collection::vec(strange, 1..3);
    let strange = prop_oneof![40 => Just(Vec::new()), 1 => strange];
    // The order of fields says nothing, so it should do nothing.
    (fields, strange, any::<bool>())
        .prop_map(|(fields, strange, turned)| {
            let mut fields: Vec<_> = fields.into_iter().flatten().chain(strange).collect();
            if turned {
                fields.reverse();
            }
            Value::Object(fields.into_iter().collect())
        })
        .boxed()
}

fn array(schema: &Value) -> BoxedStrategy<Value> {
    let items = near(&schema["items"]);
    let few = prop::collection::vec(items.clone(), 0..4);
    // Twice the same, somewhere.
    let twice = (prop::collection::vec(items.clone(), 1..4), any::<prop::sample::Index>())
        .prop_map(|(mut items, index)| {
            items.push(index.get(&items).clone());
            items
        });
    let Some(most) = schema["maxItems"].as_u64() else {
        let many = prop::collection::vec(items, 20..60);
        return prop_oneof![12 => few, 2 => twice, 1 => many].prop_map(Value::from).boxed();
    };
    let most = usize::try_from(most).expect("a small number");
    let full = (items, most - 1..most + 2).prop_map(|(item, length)| vec![item; length]);
    prop_oneof![30 => few, 3 => twice, 1 => full].prop_map(Value::from).boxed()
}

fn whole_numbers() -> BoxedStrategy<Value> {
    const YEARS: u64 = 1000 * 365 * 24 * 3600 * 1000;
    const EDGES: &[u64] = &[0, 1, YEARS - 1, YEARS, YEARS + 1, (1 << 53) - 1, 1 << 53, u64::MAX];
    let odd = [json!(-1), json!(1.0), json!(0.5), json!(-0.0), json!(1e300), json!(i64::MIN)];
    let odd = odd.into_iter().chain([json!("5"), json!(1e18), json!(3e13)]).collect::<Vec<_>>();
    prop_oneof![
        8 => (0..YEARS).prop_map(Value::from),
        3 => select(EDGES).prop_map(Value::from),
        1 => select(odd),
    ]
    .boxed()
}

fn strings(schema: &Value) -> BoxedStrategy<Value> {
    let strings = if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        enumerated(words)
    } else if let Some(pattern) = schema["pattern"].as_str() {
        if pattern.contains("{24}") { ids() } else { keys() }
    } else if let Some(format) = schema["format"].as_str() {
        if format == "email" { super::formats::emails() } else { super::formats::moments() }
    } else {
        let length = |name: &str| schema[name].as_u64().and_then(|n| usize::try_from(n).ok());
        texts(length("minLength").unwrap_or(0), length("maxLength").unwrap_or(300))
    };
    strings.prop_map(Value::from).boxed()
}

fn enumerated(words: Vec<String>) -> BoxedStrategy<String> {
    let spoiled = (select(words.clone()), 0..5).prop_map(|(word, how)| match how {
        0 => word.to_uppercase(),
        1 => format!("{word} "),
        2 => word[1..].to_owned(),
        3 => String::new(),
        _ => format!("{word}.*"),
    });
    prop_oneof![50 => select(words), 1 => spoiled].boxed()
}

fn ids() -> BoxedStrategy<String> {
    prop_oneof![
        40 => "[0-9a-f]{24}",
        20 => "[0-9a-fA-F]{24}",
        1 => "[0-9a-f]{23}",
        1 => "[0-9a-f]{25}",
        1 => "[0-9a-f]{23}[g-z_/:@`\n]",
        // Digits, but not those of ASCII: what `\d` means is not the same everywhere.
        1 => "[0-9a-f]{23}\u{0661}",
        1 => "[0-9a-f]{23}\u{ff11}",
        1 => "[0-9a-f]{24}\n",
        1 => Just(String::new()),
    ]
    .boxed()
}

pub(crate) fn keys() -> BoxedStrategy<String> {
    prop_oneof![
        60 => "[0-9a-zA-Z_-]{1,12}",
        2 => "[a-z]{254,255}",
        1 => "[a-z]{256}",
        1 => "[a-z]{0,3}[ .:/\n\u{e9}\u{661}\u{1f511}\0][a-z]{0,3}",
        1 => Just(String::new()),
    ]
    .boxed()
}

/// Characters of one to four bytes, the last ones two units of UTF-16.
fn characters() -> impl Strategy<Value = char> {
    prop_oneof![
        12 => prop::char::range(' ', '~'),
        1 => prop::char::range('\u{1}', '\u{1f}'),
        // A space that a password is not hashed with.
        1 => Just('\u{a0}'),
        1 => prop::char::range('\u{e0}', '\u{17f}'),
        1 => prop::char::range('\u{4e00}', '\u{4eff}'),
        1 => prop::char::range('\u{1f600}', '\u{1f64f}'),
    ]
}

fn texts(shortest: usize, longest: usize) -> BoxedStrategy<String> {
    let usual = prop::collection::vec(characters(), shortest..shortest + 20)
        .prop_map(|characters| characters.into_iter().collect());
    let beside = vec![0, 1, shortest.saturating_sub(1), shortest];
    let above = vec![longest - 1, longest, longest + 1];
    let repeated = |lengths| {
        (characters(), select(lengths)).prop_map(|(c, n)| std::iter::repeat_n(c, n).collect())
    };
    let with_nul = prop::collection::vec(characters(), shortest..shortest + 4)
        .prop_map(|characters| characters.into_iter().chain(['\0']).collect());
    prop_oneof![
        50 => usual,
        2 => repeated(beside),
        2 => repeated(above),
        1 => with_nul,
    ]
    .boxed()
}
