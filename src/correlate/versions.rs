//! Versions, as far as they are compared: `v6.5.3`, `6.3.0-alpha`.

/// Major, minor and patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) u32, pub(super) u32, pub(super) u32);

impl Version {
    /// Reads the numbers at the start of a text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().trim_start_matches(['v', 'V']).split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        let patch = parts.next().unwrap_or("0");
        let digits = patch.find(|c: char| !c.is_ascii_digit()).unwrap_or(patch.len());
        Some(Self(major, minor, patch[..digits].parse().unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn spellings_compare_alike() {
        assert_eq!(Version::parse("v6.2.0"), Version::parse("6.2.0-alpha-12-gabc"));
        assert!(Version::parse("v6.10.0") > Version::parse("v6.3.0"));
        assert_eq!(Version::parse("master"), None);
    }
}
