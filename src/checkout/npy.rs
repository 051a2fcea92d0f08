//! NumPy's file format, version 1.0, for tables of `f32`.
//!
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

/// The bytes of a `.npy` file that holds `values` as `rows × columns`.
pub fn npy(rows: usize, columns: usize, values: &[f32]) -> Vec<u8> {
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // Magic, version, length and header take a multiple of 64 bytes.
    let unpadded = 10 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::npy;

    #[test]
    fn the_bytes_are_numpys() {
        // numpy.save of numpy.array([[0.25, 0.75]], dtype='<f4'), NumPy 2.
        let mut expected =
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }".to_vec();
        expected.resize(127, b' ');
        expected.push(b'\n');
        expected.extend([0, 0, 0x80, 0x3e, 0, 0, 0x40, 0x3f]);
        assert_eq!(npy(1, 2, &[0.25, 0.75]), expected);
        assert_eq!((npy(7301, 6, &[]).len()) % 64, 0);
    }
}
