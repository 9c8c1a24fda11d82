//! Countries: the codes of forms (ISO 3166-1 alpha-2) and of the gateway (alpha-3).

/// Alpha-2 and alpha-3 of the countries that a shop can deliver to.
#[rustfmt::skip]
const CODES: &[(&str, &str)] = &[
    ("AD", "AND"), ("AE", "ARE"), ("AL", "ALB"), ("AM", "ARM"), ("AR", "ARG"), ("AT", "AUT"), ("AU", "AUS"),
    ("AZ", "AZE"), ("BA", "BIH"), ("BE", "BEL"), ("BG", "BGR"), ("BR", "BRA"), ("CA", "CAN"), ("CH", "CHE"),
    ("CL", "CHL"), ("CN", "CHN"), ("CO", "COL"), ("CY", "CYP"), ("CZ", "CZE"), ("DE", "DEU"), ("DK", "DNK"),
    ("EE", "EST"), ("EG", "EGY"), ("ES", "ESP"), ("FI", "FIN"), ("FO", "FRO"), ("FR", "FRA"), ("GB", "GBR"),
    ("GE", "GEO"), ("GG", "GGY"), ("GI", "GIB"), ("GL", "GRL"), ("GR", "GRC"), ("HK", "HKG"), ("HR", "HRV"),
    ("HU", "HUN"), ("ID", "IDN"), ("IE", "IRL"), ("IL", "ISR"), ("IM", "IMN"), ("IN", "IND"), ("IS", "ISL"),
    ("IT", "ITA"), ("JE", "JEY"), ("JP", "JPN"), ("KR", "KOR"), ("KZ", "KAZ"), ("LI", "LIE"), ("LT", "LTU"),
    ("LU", "LUX"), ("LV", "LVA"), ("MA", "MAR"), ("MC", "MCO"), ("MD", "MDA"), ("ME", "MNE"), ("MK", "MKD"),
    ("MT", "MLT"), ("MX", "MEX"), ("MY", "MYS"), ("NL", "NLD"), ("NO", "NOR"), ("NZ", "NZL"), ("PE", "PER"),
    ("PH", "PHL"), ("PL", "POL"), ("PT", "PRT"), ("RO", "ROU"), ("RS", "SRB"), ("SA", "SAU"), ("SE", "SWE"),
    ("SG", "SGP"), ("SI", "SVN"), ("SK", "SVK"), ("SM", "SMR"), ("TH", "THA"), ("TN", "TUN"), ("TR", "TUR"),
    ("TW", "TWN"), ("UA", "UKR"), ("US", "USA"), ("UY", "URY"), ("VA", "VAT"), ("VN", "VNM"), ("ZA", "ZAF"),
];

/// The alpha-3 code that the gateway wants for an alpha-2 code: `DE` is `DEU`.
pub fn alpha3(alpha2: &str) -> Option<&'static str> {
    CODES.iter().find(|(two, _)| *two == alpha2).map(|(_, three)| *three)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_known() {
        assert!(CODES.is_sorted());
        assert_eq!(alpha3("DE"), Some("DEU"));
        assert_eq!(alpha3("ROU"), None);
    }
}
