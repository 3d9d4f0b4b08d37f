//! A request as a command for curl.

use guestlist_client::Request;
use serde_json::Value;

/// What stands in a body for a password, and in the command for the variable that has it.
pub(super) const PASSWORD: &str = "\u{1}GUESTLIST_PASSWORD\u{1}";
/// The same for a second one.
pub(super) const NEW_PASSWORD: &str = "\u{1}GUESTLIST_NEW_PASSWORD\u{1}";

/// The command that sends `request` to `url`. The token and a password are variables of the shell,
/// so that they are in no history and on no screen.
pub(super) fn command(request: &Request, url: &str, with_token: bool) -> String {
    let mut parts = vec!["curl --silent --show-error".to_owned()];
    parts.push(format!("--request {}", request.method));
    if with_token {
        parts.push("--header \"Authorization: Bearer $GUESTLIST_TOKEN\"".into());
    }
    for (name, value) in &request.headers {
        parts.push(format!("--header {}", quoted(&format!("{name}: {value}"))));
    }
    if let Some(body) = &request.body {
        parts.push(format!("--header {}", quoted("Content-Type: application/json")));
        parts.push(format!("--data-raw {}", with_password(body)));
    }
    parts.push(quoted(url));
    parts.join(" \\\n  ")
}

/// `body`, in the words of a shell. A password has to be in its variable as JSON writes it.
fn with_password(body: &Value) -> String {
    let mut text = quoted(&body.to_string());
    for placeholder in [PASSWORD, NEW_PASSWORD] {
        let name = placeholder.trim_matches('\u{1}');
        let written = Value::from(placeholder).to_string();
        text = text.replace(written.trim_matches('"'), &format!("'\"${name}\"'"));
    }
    text
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_client::Method;
    use serde_json::json;

    #[test]
    fn nothing_in_a_request_is_taken_for_the_shell() {
        let body = json!({ "name": "it's $HOME `x` \"y\"" });
        let request = Request::new(Method::PATCH, "/x").if_match("\"a'b\"").body(body);
        assert_eq!(
            command(&request, "http://h/x?a=b&c=d", true),
            r#"curl --silent --show-error \
  --request PATCH \
  --header "Authorization: Bearer $GUESTLIST_TOKEN" \
  --header 'If-Match: "a'\''b"' \
  --header 'Content-Type: application/json' \
  --data-raw '{"name":"it'\''s $HOME `x` \"y\""}' \
  'http://h/x?a=b&c=d'"#
        );
    }

    #[test]
    fn a_password_is_a_variable() {
        let body = json!({ "email": "a@b", "password": PASSWORD });
        let request = Request::new(Method::POST, "/auth/user").body(body);
        let command = command(&request, "http://h/auth/user", false);
        assert!(
            command.contains(r#"'{"email":"a@b","password":"'"$GUESTLIST_PASSWORD"'"}'"#),
            "{command}"
        );
        assert!(!command.contains("Authorization"));
    }
}
