use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000;

fn record() -> Record {
    let plain = Record {
        name: "milan-1".to_owned(),
        region: "north".to_owned(),
        data_address: Some("192.0.2.10".parse().unwrap()),
        data_port: 31601,
        digest: 7,
        incarnation: 1_800_000_000_000,
        expires: NOW + LIFE,
        addresses: Vec::new(),
    };
    let at = |port: u16| format!("/ip4/192.0.2.10/tcp/{port}").parse().unwrap();
    plain.with_addresses(&[at(31600), at(31700)])
}

#[test]
fn what_a_node_signed_is_read_as_its_own_and_is_short() {
    let key = Keypair::generate_ed25519();
    let sealed = seal(&record(), &key).unwrap();
    assert_eq!(open(&sealed, NOW), Ok((key.public().to_peer_id(), record())));
    assert!(sealed.len() < 256, "{} bytes", sealed.len());
    assert_eq!(record().multiaddresses().len(), 2);
}

#[test]
fn a_record_ends_and_none_lives_for_ever() {
    let key = Keypair::generate_ed25519();
    let sealed = seal(&record(), &key).unwrap();
    assert!(open(&sealed, NOW + LIFE + SKEW).is_ok());
    assert_eq!(open(&sealed, NOW + LIFE + SKEW + 1), Err(RecordError::Stale));
    for expires in [NOW + 2 * LIFE + 1, u64::MAX] {
        let eternal = Record { expires, ..record() };
        assert_eq!(open(&seal(&eternal, &key).unwrap(), NOW), Err(RecordError::Stale));
    }
}

#[test]
fn values_out_of_bounds_are_refused_although_they_are_signed() {
    let key = Keypair::generate_ed25519();
    for bad in [
        Record { name: "a b".to_owned(), ..record() },
        Record { name: String::new(), ..record() },
        Record { region: "x".repeat(100), ..record() },
        Record { data_port: 0, ..record() },
        Record { addresses: vec![vec![4; 65]], ..record() },
        Record { addresses: vec![Vec::new(); 5], ..record() },
    ] {
        assert_eq!(open(&seal(&bad, &key).unwrap(), NOW), Err(RecordError::Malformed), "{bad:?}");
    }
    assert_eq!(seal(&Record { name: "x".repeat(2000), ..record() }, &key), None);
}

#[test]
fn a_signature_for_another_use_or_by_another_key_is_no_signature() {
    let key = Keypair::generate_ed25519();
    let payload = postcard::to_stdvec(&record()).unwrap();
    let other = SignedEnvelope::new(&key, "libp2p-peer-record".to_owned(), KIND.to_vec(), payload.clone());
    assert_eq!(open(&other.unwrap().into_protobuf_encoding(), NOW), Err(RecordError::Forged));
    let kind = SignedEnvelope::new(&key, DOMAIN.to_owned(), b"/x".to_vec(), payload).unwrap();
    assert_eq!(open(&kind.into_protobuf_encoding(), NOW), Err(RecordError::Forged));
    // The key of one in the envelope of another.
    let (mine, theirs) = (seal(&record(), &key).unwrap(), Keypair::generate_ed25519().public());
    let (old, new) = (key.public().encode_protobuf(), theirs.encode_protobuf());
    let at = mine.windows(old.len()).position(|window| window == old).unwrap();
    let mut forged = mine.to_vec();
    forged[at..at + new.len()].copy_from_slice(&new);
    assert_eq!(open(&forged, NOW), Err(RecordError::Forged));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_stumble(bytes in proptest::collection::vec(any::<u8>(), 0..1200)) {
        prop_assert!(open(&bytes, NOW).is_err());
    }

    #[test]
    fn a_record_of_which_one_bit_was_changed_speaks_for_nobody_else(bit in 0usize..2400) {
        let key = Keypair::generate_ed25519();
        let mut sealed = seal(&record(), &key).unwrap().to_vec();
        let bit = bit % (sealed.len() * 8);
        sealed[bit / 8] ^= 1 << (bit % 8);
        if let Ok((id, read)) = open(&sealed, NOW) {
            // Bits that the encoding ignores.
            prop_assert_eq!((id, read), (key.public().to_peer_id(), record()));
        }
    }
}
