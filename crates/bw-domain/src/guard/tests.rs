//! Every kind of address, plain and carried inside another.

use super::*;

fn check(text: &str, expected: Reach) {
    let ip = text.parse().expect("a literal address");
    assert_eq!(reach(ip), expected, "{text}");
    let never = !matches!(expected, Reach::Global | Reach::Loopback | Reach::Private);
    assert_eq!(Policy { strict: false }.allows(ip).is_err(), never, "{text}, default");
    assert_eq!(Policy { strict: true }.allows(ip).is_err(), expected != Reach::Global, "{text}, strict");
}

#[test]
fn addresses() {
    for (text, expected) in [
        ("169.254.169.254", Reach::Metadata),
        ("169.254.170.2", Reach::Metadata),
        ("100.100.100.200", Reach::Metadata),
        ("192.0.0.192", Reach::Metadata),
        ("168.63.129.16", Reach::Metadata),
        ("fd00:ec2::254", Reach::Metadata),
        ("fd20:ce::254", Reach::Metadata),
        ("169.254.1.1", Reach::LinkLocal),
        ("fe80::1", Reach::LinkLocal),
        ("febf::1", Reach::LinkLocal),
        ("0.0.0.0", Reach::Unspecified),
        ("0.1.2.3", Reach::Unspecified),
        ("::", Reach::Unspecified),
        ("224.0.0.1", Reach::Multicast),
        ("239.255.255.250", Reach::Multicast),
        ("ff02::1", Reach::Multicast),
        ("255.255.255.255", Reach::Broadcast),
        ("127.0.0.1", Reach::Loopback),
        ("127.255.0.3", Reach::Loopback),
        ("::1", Reach::Loopback),
        ("10.0.0.1", Reach::Private),
        ("172.16.0.1", Reach::Private),
        ("172.31.255.255", Reach::Private),
        ("192.168.1.1", Reach::Private),
        ("100.64.0.1", Reach::Private),
        ("198.18.0.1", Reach::Private),
        ("203.0.113.9", Reach::Private),
        ("240.0.0.1", Reach::Private),
        ("fd12:3456::1", Reach::Private),
        ("fec0::1", Reach::Private),
        ("2001:db8::1", Reach::Private),
        ("1.1.1.1", Reach::Global),
        ("172.32.0.1", Reach::Global),
        ("100.128.0.1", Reach::Global),
        ("2606:4700::1111", Reach::Global),
    ] {
        check(text, expected);
    }
}

#[test]
fn forms_that_carry_another_address_are_judged_by_it() {
    for (text, expected) in [
        ("::ffff:169.254.169.254", Reach::Metadata),
        ("::169.254.169.254", Reach::Metadata),
        ("::ffff:0:169.254.169.254", Reach::Metadata),
        ("64:ff9b::169.254.169.254", Reach::Metadata),
        ("64:ff9b:1::169.254.169.254", Reach::Metadata),
        ("2002:a9fe:a9fe::1", Reach::Metadata),
        // Teredo carries the inverted address.
        ("2001:0:4136:e378:8000:63bf:5601:5601", Reach::Metadata),
        ("::ffff:127.0.0.1", Reach::Loopback),
        ("64:ff9b::127.0.0.1", Reach::Loopback),
        ("2002:7f00:1::", Reach::Loopback),
        ("::ffff:10.1.2.3", Reach::Private),
        ("::ffff:0.0.0.0", Reach::Unspecified),
        ("::ffff:255.255.255.255", Reach::Broadcast),
        ("::ffff:1.1.1.1", Reach::Global),
        ("64:ff9b::1.1.1.1", Reach::Global),
        ("2002:101:101::1", Reach::Global),
    ] {
        check(text, expected);
    }
}

#[test]
fn a_refusal_says_why_in_one_sentence() {
    let said = |text: &str| {
        let refused = Policy { strict: true }.allows(text.parse().expect("a literal address"));
        refused.expect_err("strict refuses it").to_string()
    };
    assert_eq!(
        said("169.254.169.254"),
        "169.254.169.254 is a cloud metadata address, which is never contacted"
    );
    assert_eq!(said("10.0.0.1"), "10.0.0.1 is a private address, which `guard: {strict: true}` refuses");
    assert_eq!(said("::1"), "::1 is a loopback address, which `guard: {strict: true}` refuses");
}
