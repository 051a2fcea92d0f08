//! The checksum of PNG: CRC-32, sixteen bytes at a time.

const POLYNOMIAL: u32 = 0xedb8_8320;

/// `TABLES[n][b]` is the checksum of byte `b` followed by `n` zero bytes.
static TABLES: [[u32; 256]; 16] = tables();

const fn tables() -> [[u32; 256]; 16] {
    let mut tables = [[0; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        tables[0][byte] = value;
        byte += 1;
    }
    let mut table = 1;
    while table < 16 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = before >> 8 ^ tables[0][(before & 255) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// CRC-32 as PNG, zlib and Ethernet define it.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut state = !0_u32;
    let mut blocks = bytes.chunks_exact(16);
    for block in &mut blocks {
        let head = state.to_le_bytes();
        let mut next = 0;
        for (place, &byte) in block.iter().enumerate() {
            let byte = if place < 4 { byte ^ head[place] } else { byte };
            next ^= TABLES[15 - place][usize::from(byte)];
        }
        state = next;
    }
    for &byte in blocks.remainder() {
        state = state >> 8 ^ TABLES[0][usize::from(state as u8 ^ byte)];
    }
    !state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums() {
        assert_eq!(checksum(b""), 0);
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b"IEND"), 0xae42_6082);
        let long = b"The quick brown fox jumps over the lazy dog";
        assert_eq!(checksum(long), 0x414f_a339);
    }
}
