//! What stands in an address.

/// Percent-encodes all bytes that mean something in a URL or might, except the slashes of a path.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut encoded, &byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
        encoded
    })
}

/// The reverse. What is no code of a character stays as it is.
pub(crate) fn decode(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => bytes.extend([b"%", part.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_an_address_is_encoded() {
        assert_eq!(encode(b"/tmp/djob-pg-1.0_~"), "/tmp/djob-pg-1.0_~");
        assert_eq!(encode("/a b+c?d&e%é".as_bytes()), "/a%20b%2Bc%3Fd%26e%25%C3%A9");
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        assert_eq!(decode(&encode("/a b+c?d&e%é".as_bytes())), "/a b+c?d&e%é");
        assert_eq!(decode("100%"), "100%");
    }
}
