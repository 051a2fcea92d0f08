//! Files as PyTorch wrote them, made by hand from its rules.

use std::fs;
use std::io::Write as _;

use tempfile::TempDir;
use zip::write::SimpleFileOptions;

use super::*;

/// Pickle opcodes, as far as checkpoints use them.
struct Pickle(Vec<u8>);

impl Pickle {
    fn new() -> Pickle {
        Pickle(vec![0x80, 2])
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn global(self, module: &str, name: &str) -> Self {
        self.raw(format!("c{module}\n{name}\n").as_bytes())
    }

    /// A string of Python 2: SHORT_BINSTRING.
    fn bytes2(self, text: &str) -> Self {
        self.raw(&[b'U', text.len() as u8]).raw(text.as_bytes())
    }

    /// A string of Python 3: BINUNICODE.
    fn text(self, text: &str) -> Self {
        self.raw(b"X").raw(&(text.len() as u32).to_le_bytes()).raw(text.as_bytes())
    }

    fn number(self, value: i32) -> Self {
        self.raw(b"J").raw(&value.to_le_bytes())
    }

    fn numbers(self, values: &[usize]) -> Self {
        let pickle = values.iter().fold(self.raw(b"("), |pickle, value| pickle.number(*value as i32));
        pickle.raw(b"t")
    }

    fn end(self) -> Vec<u8> {
        self.raw(b".").0
    }
}

fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect()
}

/// A tensor as PyTorch 0.2 on Python 2 pickled it, on a GPU.
fn tensor_of_python_2(pickle: Pickle, key: &str, shape: &[usize]) -> Pickle {
    let numbers: usize = shape.iter().product();
    let pickle = pickle.global("torch._utils", "_rebuild_tensor").raw(b"((").bytes2("storage");
    let pickle = pickle.global("torch.cuda", "FloatStorage").bytes2(key).bytes2("cuda:0");
    let pickle = pickle.number(numbers as i32).raw(b"NtQ").number(0);
    pickle.numbers(shape).numbers(&strides(shape)).raw(b"tR")
}

/// A checkpoint as `resnet50_places365.pth.tar` was written: pickles one after
/// the other, the weights in an ordered dictionary under `state_dict`.
fn places(tensors: &[(&str, &[usize])]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
    let info = Pickle::new().raw(b"}(").bytes2("protocol_version").number(1001);
    let info = info.bytes2("little_endian").raw(b"\x88").bytes2("type_sizes").raw(b"}(").bytes2("int");
    file.extend(info.number(4).raw(b"u").raw(b"u").end());
    let object = Pickle::new().raw(b"}(").bytes2("epoch").number(90).bytes2("arch").bytes2("resnet50");
    let object = object.bytes2("best_prec1").raw(b"G").raw(&54.65f64.to_be_bytes());
    let mut object = object.bytes2("state_dict").global("collections", "OrderedDict").raw(b"(](");
    for (index, (name, shape)) in tensors.iter().enumerate() {
        object = object.raw(b"](").bytes2(name);
        object = tensor_of_python_2(object, &index.to_string(), shape).raw(b"e");
    }
    file.extend(object.raw(b"etR").raw(b"u").end());
    let keys =
        (0..tensors.len()).fold(Pickle::new().raw(b"]("), |keys, index| keys.bytes2(&index.to_string()));
    file.extend(keys.raw(b"e").end());
    for (index, (_, shape)) in tensors.iter().enumerate() {
        let numbers: usize = shape.iter().product();
        file.extend((numbers as i64).to_le_bytes());
        file.extend((0..numbers).flat_map(|place| (index as f32 + place as f32 / 8.0).to_le_bytes()));
    }
    file
}

/// A checkpoint as `torch.save` writes it today.
fn zipped(tensors: &[(&str, &[usize])], kind: &str, bytes: impl Fn(usize, usize) -> Vec<u8>) -> Vec<u8> {
    let mut object = Pickle::new().raw(b"}(");
    for (index, (name, shape)) in tensors.iter().enumerate() {
        let numbers: usize = shape.iter().product();
        object = object.text(name).global("torch._utils", "_rebuild_tensor_v2").raw(b"((").text("storage");
        object = object.global("torch", kind).text(&index.to_string()).text("cpu").number(numbers as i32);
        object = object.raw(b"tQ").number(0).numbers(shape).numbers(&strides(shape)).raw(b"\x89");
        object = object.global("collections", "OrderedDict").raw(b")RtR");
    }
    let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut entry = |name: &str, bytes: &[u8]| {
        archive.start_file(format!("archive/{name}"), stored).expect("an entry");
        archive.write_all(bytes).expect("in memory");
    };
    entry("data.pkl", &object.raw(b"u").end());
    entry("byteorder", b"little");
    for (index, (_, shape)) in tensors.iter().enumerate() {
        entry(&format!("data/{index}"), &bytes(index, shape.iter().product()));
    }
    entry("version", b"3\n");
    archive.finish().expect("in memory").into_inner()
}

fn floats(index: usize, numbers: usize) -> Vec<u8> {
    (0..numbers).flat_map(|place| (index as f32 + place as f32 / 8.0).to_le_bytes()).collect()
}

fn read_bytes(bytes: &[u8], limits: &Limits) -> Result<ForeignTensors, ReadError> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("weights.bin");
    fs::write(&path, bytes).expect("writes");
    read(&path, limits)
}

const TWO: [(&str, &[usize]); 2] = [("conv1.weight", &[2, 3]), ("bn1.bias", &[4])];

fn expected() -> Vec<f32> {
    vec![0.0, 0.125, 0.25, 0.375, 0.5, 0.625]
}

#[test]
fn a_file_of_python_2_and_pytorch_0_2_is_read() {
    let names: [(&str, &[usize]); 2] = [("module.conv1.weight", &[2, 3]), ("module.bn1.bias", &[4])];
    let found = read_bytes(&places(&names), &Limits::default()).expect("reads");
    assert_eq!(found.format, ForeignFormat::TorchLegacy);
    let names: Vec<&String> = found.tensors.keys().collect();
    assert_eq!(names, ["state_dict.module.bn1.bias", "state_dict.module.conv1.weight"]);
    let conv = &found.tensors["state_dict.module.conv1.weight"];
    assert_eq!((conv.shape.as_slice(), &conv.values), ([2, 3].as_slice(), &expected()));
    assert_eq!(found.tensors["state_dict.module.bn1.bias"].values, [1.0, 1.125, 1.25, 1.375]);
}

#[test]
fn zip_files_of_every_kind_of_number_are_read_as_32_bits() {
    let file = zipped(&TWO, "FloatStorage", floats);
    let found = read_bytes(&file, &Limits::default()).expect("reads");
    assert_eq!((found.format, &found.tensors["conv1.weight"].values), (ForeignFormat::TorchZip, &expected()));
    let file = zipped(&TWO, "HalfStorage", |index, numbers| {
        let half = |place| f16::from_f32(index as f32 + place as f32 / 8.0).to_bits().to_le_bytes();
        (0..numbers).flat_map(half).collect()
    });
    let found = read_bytes(&file, &Limits::default()).expect("reads");
    assert_eq!(found.tensors["conv1.weight"].values, expected());
    let file = zipped(&TWO, "DoubleStorage", |index, numbers| {
        (0..numbers).flat_map(|place| (index as f64 + place as f64 / 8.0).to_le_bytes()).collect()
    });
    assert_eq!(
        read_bytes(&file, &Limits::default()).expect("reads").tensors["conv1.weight"].values,
        expected()
    );
    let file = zipped(&TWO, "LongStorage", |_, numbers| vec![0; numbers * 8]);
    let found = read_bytes(&file, &Limits::default()).expect("reads");
    assert_eq!((found.tensors.len(), found.integers), (0, vec!["bn1.bias".into(), "conv1.weight".into()]));
}

#[test]
fn safetensors_are_told_by_their_bytes_not_their_name() {
    let values = Values { shape: vec![2, 3], values: expected() };
    let tensors = BTreeMap::from([("conv1.weight".to_owned(), values.clone())]);
    let bytes = crate::train::weights::encode(&tensors, "format", "pt");
    let found = read_bytes(&bytes, &Limits::default()).expect("reads");
    assert_eq!((found.format, &found.tensors["conv1.weight"]), (ForeignFormat::Safetensors, &values));
}

#[test]
fn a_pickle_that_names_a_function_runs_nothing() {
    let folder = TempDir::new().expect("a folder");
    let witness = folder.path().join("ran");
    let call = Pickle::new().global("os", "system").raw(b"(").text(&format!("touch {}", witness.display()));
    let call = call.raw(b"tR").end();
    let mut legacy = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
    legacy.extend(&call);
    for bytes in [call, legacy] {
        let refused = read_bytes(&bytes, &Limits::default()).expect_err("no weights");
        assert!(matches!(refused, ReadError::Format { .. }), "{refused}");
    }
    assert!(!witness.exists());
}

#[test]
fn more_than_is_accepted_is_refused_with_both_figures() {
    let file = zipped(&TWO, "FloatStorage", floats);
    let limits = |file_bytes, tensors, numbers| Limits { file_bytes, tensors, numbers };
    for (limits, words) in [
        (limits(100, 9, 99), "bytes; at most 100"),
        (limits(1 << 20, 1, 99), "holds 2 tensors; at most 1"),
        (limits(1 << 20, 9, 9), "holds 10 numbers; at most 9"),
    ] {
        let refused = read_bytes(&file, &limits).expect_err(words).to_string();
        assert!(refused.contains(words), "{refused}");
    }
}

#[test]
fn a_file_cut_or_changed_anywhere_is_refused_or_read_but_never_a_panic() {
    let names: [(&str, &[usize]); 1] = [("module.conv1.weight", &[2, 3])];
    for whole in [places(&names), zipped(&names, "FloatStorage", floats)] {
        for cut in 0..whole.len() {
            let outcome = read_bytes(&whole[..cut], &Limits::default());
            assert!(outcome.is_err(), "cut at {cut} of {}", whole.len());
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 0x55;
            drop(read_bytes(&changed, &Limits::default()));
        }
    }
    assert!(read_bytes(b"", &Limits::default()).is_err());
    assert!(matches!(read(Path::new("/no/such/file"), &Limits::default()), Err(ReadError::Io { .. })));
}
