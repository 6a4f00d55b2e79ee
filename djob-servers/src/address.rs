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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_an_address_is_encoded() {
        assert_eq!(encode(b"/tmp/djob-pg-1.0_~"), "/tmp/djob-pg-1.0_~");
        assert_eq!(encode("/a b+c?d&e%é".as_bytes()), "/a%20b%2Bc%3Fd%26e%25%C3%A9");
    }
}
