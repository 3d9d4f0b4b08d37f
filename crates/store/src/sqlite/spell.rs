//! Statements as SQLite spells them.

/// `sql` as SQLite says it: `$1` names a parameter there, `?1` numbers it; and where there is one
/// writer, nobody locks rows. Text in quotes and comments is left alone.
pub(crate) fn spell(sql: &str) -> String {
    let mut spelled = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(['\'', '"', '-', '$', 'F']) {
        let (plain, special) = rest.split_at(at);
        spelled.push_str(plain);
        let end = match special.as_bytes() {
            // A doubled quote ends one text and starts the next, which comes to the same.
            [quote @ (b'\'' | b'"'), text @ ..] => {
                text.iter().position(|byte| byte == quote).map_or(special.len(), |end| end + 2)
            }
            [b'-', b'-', ..] => special.find('\n').unwrap_or(special.len()),
            [b'$', digit, ..] if digit.is_ascii_digit() => {
                spelled.push('?');
                rest = &special[1..];
                continue;
            }
            _ => match lock(special).filter(|_| plain.ends_with([' ', '\n'])) {
                Some(after) => {
                    spelled.truncate(spelled.trim_end().len());
                    rest = after;
                    continue;
                }
                None => 1,
            },
        };
        spelled.push_str(&special[..end]);
        rest = &special[end..];
    }
    spelled.push_str(rest);
    spelled
}

/// What follows the words that lock rows, if `sql` starts with such.
fn lock(sql: &str) -> Option<&str> {
    let after = ["FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE"]
        .into_iter()
        .find_map(|words| sql.strip_prefix(words))?;
    Some(after.strip_prefix(" SKIP LOCKED").unwrap_or(after))
}
