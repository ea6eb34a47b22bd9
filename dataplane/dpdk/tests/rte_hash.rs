//! The wrapped rte_hash behaves as a map, and its hash functions are the published ones.

use std::collections::BTreeMap;

use dpdk::hash::{
    BULK_MAX, HashConfig, HashError, HashFunction, RteHash, Words, hash_crc, hash_crc_burst, jhash,
};
use dpdk::{Eal, SocketId};

fn key(n: u32, len: u32) -> Vec<u8> {
    (0..len).map(|i| (n.wrapping_mul(0x9E37_79B9).rotate_left(i * 5) >> 7) as u8 ^ i as u8).collect()
}

/// CRC-32C bit by bit, reflected polynomial 0x82F63B78, as RFC 3720 B.4 has it but without the two
/// inversions.
fn crc32c(bytes: &[u8], init: u32) -> u32 {
    bytes.iter().fold(init, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn rte_hash_is_a_map() {
    // The check value of CRC-32C, with the inversions that rte_hash_crc leaves to its caller.
    assert_eq!(!hash_crc(b"123456789", !0), 0xE306_9283);
    for len in 0..40 {
        assert_eq!(hash_crc(&key(len, len), 0x1234_5678), crc32c(&key(len, len), 0x1234_5678), "{len} bytes");
    }
    // Bob Jenkins' own driver5 of lookup3.c: hashlittle("Four score and seven years ago", 30, 0)
    // and 1.
    assert_eq!(jhash(b"Four score and seven years ago", 0), 0x1777_0551);
    assert_eq!(jhash(b"Four score and seven years ago", 1), 0xCD62_8161);

    let line = format!(
        "--no-huge --no-shconf --no-pci -l 0 -m 128 --file-prefix fthash{id}",
        id = std::process::id()
    );
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let eal = Eal::init("rte_hash", &args).unwrap();
    for (i, hash) in [HashFunction::Crc, HashFunction::Jhash].into_iter().enumerate() {
        for key_len in [13, 16, 17] {
            for ext_table in [false, true] {
                let name = format!("map{i}_{key_len}_{ext_table}");
                let config = HashConfig {
                    name: &name,
                    entries: 1024,
                    key_len,
                    hash,
                    init_value: 7,
                    socket: SocketId::ANY,
                    ext_table,
                };
                one_table(&eal, &config);
            }
        }
    }
    refusals(&eal);

    let mut words = Words::new(&eal, 1000, SocketId::ANY).unwrap();
    assert_eq!(words[..], [0; 1000]);
    words[999] = 7;
    assert_eq!(words.iter().sum::<u32>(), 7);
    assert!(Words::new(&eal, 1 << 30, SocketId::ANY).is_err(), "4 GiB out of 128 MiB");
}

fn one_table(eal: &Eal, config: &HashConfig<'_>) {
    let mut table = RteHash::new(eal, config).unwrap();
    let function = match config.hash {
        HashFunction::Crc => hash_crc,
        HashFunction::Jhash => jhash,
    };
    let mut model = BTreeMap::new();
    for n in 0..500 {
        let key = key(n, config.key_len);
        let hash = function(&key, config.init_value);
        assert_eq!(table.hash(&key), Ok(hash));
        assert_eq!(table.lookup(&key), Err(HashError::NotFound));
        let position = if n % 2 == 0 { table.add(&key) } else { table.add_with_hash(&key, hash) }.unwrap();
        assert_eq!(table.add(&key), Ok(position), "adding again finds");
        assert_eq!(table.lookup(&key), Ok(position));
        assert_eq!(table.lookup_with_hash(&key, hash), Ok(position));
        assert_eq!(table.key_at(position), Some(&key[..]));
        assert!(position <= table.max_key_id());
        assert!(model.insert(key, position).is_none());
    }
    for n in (0..500).step_by(3) {
        let key = key(n, config.key_len);
        let position = model.remove(&key).unwrap();
        assert_eq!(table.del(&key), Ok(position));
        assert_eq!(table.del(&key), Err(HashError::NotFound));
        assert_eq!(table.key_at(position), None);
    }
    assert_eq!(table.count() as usize, model.len());
    let iterated: BTreeMap<Vec<u8>, u32> =
        table.iterate().map(|(position, key)| (key.to_vec(), position)).collect();
    assert_eq!(iterated, model);

    let keys: Vec<Vec<u8>> = (0..BULK_MAX as u32).map(|n| key(n, config.key_len)).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let hashes: Vec<u32> = keys.iter().map(|key| function(key, config.init_value)).collect();
    for n in [1, 3, 4, 5, BULK_MAX] {
        let mut positions = [u32::MAX; BULK_MAX];
        let hits = table.lookup_bulk_with_hash(&keys[..n], &hashes[..n], &mut positions[..n]).unwrap();
        for i in 0..n {
            let expected = model.get(keys[i]).copied();
            assert_eq!((hits >> i & 1 == 1).then_some(positions[i]), expected, "key {i} of {n}");
        }
    }

    bare_lookup(&table, config, &model);

    assert_eq!(table.key_at(table.max_key_id() + 1), None);
    assert_eq!(table.key_at(u32::MAX), None);
    let short = key(0, config.key_len - 1);
    assert_eq!(table.add(&short), Err(HashError::Invalid));
    assert_eq!(table.lookup(&short), Err(HashError::Invalid));
    assert_eq!(table.lookup_bulk_with_hash(&[], &[], &mut []), Ok(0));
    assert_eq!(table.lookup_bulk_with_hash(&keys[..2], &hashes[..1], &mut [0; 2]), Err(HashError::Invalid));
}

/// The call without copies says the same, of keys of the one length that it takes.
fn bare_lookup(table: &RteHash<'_>, config: &HashConfig<'_>, model: &BTreeMap<Vec<u8>, u32>) {
    let keys: Vec<Vec<u8>> = (0..BULK_MAX as u32).map(|n| key(n, 16)).collect();
    let row: Vec<[u8; 16]> = keys.iter().map(|key| key[..].try_into().expect("16 bytes")).collect();
    let (mut hashes, mut positions) = ([0; BULK_MAX], [0; BULK_MAX]);
    hash_crc_burst(&row, config.init_value, &mut hashes);
    for (key, &hash) in keys.iter().zip(&hashes) {
        assert_eq!(hash, hash_crc(key, config.init_value));
    }
    for n in [0, 1, 3, BULK_MAX] {
        if config.hash == HashFunction::Jhash {
            hashes = std::array::from_fn(|i| jhash(&keys[i], config.init_value));
        }
        let outcome = table.lookup_bulk_in_a_row(&row[..n], &mut hashes, &mut positions);
        if config.key_len != 16 || n == 0 {
            assert_eq!(outcome, Err(HashError::Invalid));
            continue;
        }
        assert_eq!(outcome, Ok(()));
        for (key, &position) in keys.iter().zip(&positions[..n]) {
            assert_eq!(u32::try_from(position).ok(), model.get(key).copied());
        }
    }
    assert_eq!(
        table.lookup_bulk_in_a_row(&row[..2], &mut hashes[..1], &mut positions),
        Err(HashError::Invalid)
    );
}

fn refusals(eal: &Eal) {
    let config = HashConfig {
        name: "small",
        entries: 64,
        key_len: 16,
        hash: HashFunction::Crc,
        init_value: 0,
        socket: SocketId::ANY,
        ext_table: false,
    };
    let mut table = RteHash::new(eal, &config).unwrap();
    assert!(RteHash::new(eal, &config).is_err(), "the name exists");
    assert!(RteHash::new(eal, &HashConfig { name: "none", key_len: 0, ..config }).is_err());

    // Keys of one hash share two buckets of eight; the seventeenth is refused however empty the
    // table is.
    for n in 0..16 {
        table.add_with_hash(&key(n, 16), 0x1234_5678).unwrap();
    }
    assert_eq!(table.add_with_hash(&key(16, 16), 0x1234_5678), Err(HashError::NoSpace));
    assert_eq!(table.count(), 16);

    drop(table);
    let mut chained =
        RteHash::new(eal, &HashConfig { ext_table: true, ..config }).expect("the name is free again");
    for n in 0..17 {
        chained.add_with_hash(&key(n, 16), 0x1234_5678).unwrap();
    }
}
