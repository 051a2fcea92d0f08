//! Letters with marks, taken apart as Unicode's canonical decomposition does.

/// A combining mark, the letters that carry it, and those letters without it,
/// for Latin, Greek, Cyrillic and kana (Unicode 15, `UnicodeData.txt`). A
/// letter with two marks loses them one by one.
const MARKED: &[(char, &str, &str)] = &[
    (
        '\u{300}',
        "ÀÈÌÒÙàèìòùǛǜǸǹЀЍѐѝḔḕṐṑẀẁẦầẰằỀềỒồỜờỪừỲỳἂἃἊἋἒἓ",
        "AEIOUaeiouÜüNnЕИеиĒēŌōWwÂâĂăÊêÔôƠơƯưYyἀἁἈἉἐἑ",
    ),
    ('\u{300}', "ἚἛἢἣἪἫἲἳἺἻὂὃὊὋὒὓὛὢὣὪὫὰὲὴὶὸὺὼᾺῈῊ῍ῒῚ῝ῢῪ῭ῸῺ", "ἘἙἠἡἨἩἰἱἸἹὀὁὈὉὐὑὙὠὡὨὩαεηιουωΑΕΗ᾿ϊΙ῾ϋΥ¨ΟΩ"),
    (
        '\u{301}',
        "ÁÉÍÓÚÝáéíóúýĆćĹĺŃńŔŕŚśŹźǗǘǴǵǺǻǼǽǾǿ΅ΆΈΉΊΌΎΏΐά",
        "AEIOUYaeiouyCcLlNnRrSsZzÜüGgÅåÆæØø¨ΑΕΗΙΟΥΩϊα",
    ),
    (
        '\u{301}',
        "έήίΰόύώϓЃЌѓќḈḉḖḗḮḯḰḱḾḿṌṍṒṓṔṕṸṹẂẃẤấẮắẾếỐốỚớỨứ",
        "εηιϋουωϒГКгкÇçĒēÏïKkMmÕõŌōPpŨũWwÂâĂăÊêÔôƠơƯư",
    ),
    ('\u{301}', "ἄἅἌἍἔἕἜἝἤἥἬἭἴἵἼἽὄὅὌὍὔὕὝὤὥὬὭ῎῞", "ἀἁἈἉἐἑἘἙἠἡἨἩἰἱἸἹὀὁὈὉὐὑὙὠὡὨὩ᾿῾"),
    ('\u{302}', "ÂÊÎÔÛâêîôûĈĉĜĝĤĥĴĵŜŝŴŵŶŷẐẑẬậỆệỘộ", "AEIOUaeiouCcGgHhJjSsWwYyZzẠạẸẹỌọ"),
    ('\u{303}', "ÃÑÕãñõĨĩŨũṼṽẪẫẴẵẼẽỄễỖỗỠỡỮữỸỹ", "ANOanoIiUuVvÂâĂăEeÊêÔôƠơƯưYy"),
    (
        '\u{304}',
        "ĀāĒēĪīŌōŪūǕǖǞǟǠǡǢǣǬǭȪȫȬȭȰȱȲȳӢӣӮӯḠḡḸḹṜṝᾱᾹῑῙῡῩ",
        "AaEeIiOoUuÜüÄäȦȧÆæǪǫÖöÕõȮȯYyИиУуGgḶḷṚṛαΑιΙυΥ",
    ),
    ('\u{306}', "ĂăĔĕĞğĬĭŎŏŬŭЎЙйўӁӂӐӑӖӗḜḝẶặᾰᾸῐῘῠῨ", "AaEeGgIiOoUuУИиуЖжАаЕеȨȩẠạαΑιΙυΥ"),
    (
        '\u{307}',
        "ĊċĖėĠġİŻżȦȧȮȯḂḃḊḋḞḟḢḣṀṁṄṅṖṗṘṙṠṡṤṥṦṧṨṩṪṫẆẇẊẋẎ",
        "CcEeGgIZzAaOoBbDdFfHhMmNnPpRrSsŚśŠšṢṣTtWwXxY",
    ),
    ('\u{307}', "ẏẛ", "yſ"),
    (
        '\u{308}',
        "ÄËÏÖÜäëïöüÿŸΪΫϊϋϔЁЇёїӒӓӚӛӜӝӞӟӤӥӦӧӪӫӬӭӰӱӴӵӸӹḦ",
        "AEIOUaeiouyYΙΥιυϒЕІеіАаӘәЖжЗзИиОоӨөЭэУуЧчЫыH",
    ),
    ('\u{308}', "ḧṎṏṺṻẄẅẌẍẗ", "hÕõŪūWwXxt"),
    ('\u{309}', "ẢảẨẩẲẳẺẻỂểỈỉỎỏỔổỞởỦủỬửỶỷ", "AaÂâĂăEeÊêIiOoÔôƠơUuƯưYy"),
    ('\u{30a}', "ÅåŮůẘẙ", "AaUuwy"),
    ('\u{30b}', "ŐőŰűӲӳ", "OoUuУу"),
    ('\u{30c}', "ČčĎďĚěĽľŇňŘřŠšŤťŽžǍǎǏǐǑǒǓǔǙǚǦǧǨǩǮǯǰȞȟ", "CcDdEeLlNnRrSsTtZzAaIiOoUuÜüGgKkƷʒjHh"),
    ('\u{30f}', "ȀȁȄȅȈȉȌȍȐȑȔȕѶѷ", "AaEeIiOoRrUuѴѵ"),
    ('\u{311}', "ȂȃȆȇȊȋȎȏȒȓȖȗ", "AaEeIiOoRrUu"),
    ('\u{313}', "ἀἈἐἘἠἨἰἸὀὈὐὠὨῤ", "αΑεΕηΗιΙοΟυωΩρ"),
    ('\u{314}', "ἁἉἑἙἡἩἱἹὁὉὑὙὡὩῥῬ", "αΑεΕηΗιΙοΟυΥωΩρΡ"),
    ('\u{31b}', "ƠơƯư", "OoUu"),
    ('\u{323}', "ḄḅḌḍḤḥḲḳḶḷṂṃṆṇṚṛṢṣṬṭṾṿẈẉẒẓẠạẸẹỊịỌọỢợỤụỰựỴỵ", "BbDdHhKkLlMmNnRrSsTtVvWwZzAaEeIiOoƠơUuƯưYy"),
    ('\u{324}', "Ṳṳ", "Uu"),
    ('\u{325}', "Ḁḁ", "Aa"),
    ('\u{326}', "ȘșȚț", "SsTt"),
    ('\u{327}', "ÇçĢģĶķĻļŅņŖŗŞşŢţȨȩḐḑḨḩ", "CcGgKkLlNnRrSsTtEeDdHh"),
    ('\u{328}', "ĄąĘęĮįŲųǪǫ", "AaEeIiUuOo"),
    ('\u{32d}', "ḒḓḘḙḼḽṊṋṰṱṶṷ", "DdEeLlNnTtUu"),
    ('\u{32e}', "Ḫḫ", "Hh"),
    ('\u{330}', "ḚḛḬḭṴṵ", "EeIiUu"),
    ('\u{331}', "ḆḇḎḏḴḵḺḻṈṉṞṟṮṯẔẕẖ", "BbDdKkLlNnRrTtZzh"),
    ('\u{342}', "ἆἇἎἏἦἧἮἯἶἷἾἿὖὗὟὦὧὮὯᾶ῁ῆ῏ῖῗ῟ῦῧῶ", "ἀἁἈἉἠἡἨἩἰἱἸἹὐὑὙὠὡὨὩα¨η᾿ιϊ῾υϋω"),
    (
        '\u{345}',
        "ᾀᾁᾂᾃᾄᾅᾆᾇᾈᾉᾊᾋᾌᾍᾎᾏᾐᾑᾒᾓᾔᾕᾖᾗᾘᾙᾚᾛᾜᾝᾞᾟᾠᾡᾢᾣᾤᾥᾦᾧᾨᾩᾪᾫ",
        "ἀἁἂἃἄἅἆἇἈἉἊἋἌἍἎἏἠἡἢἣἤἥἦἧἨἩἪἫἬἭἮἯὠὡὢὣὤὥὦὧὨὩὪὫ",
    ),
    ('\u{345}', "ᾬᾭᾮᾯᾲᾳᾴᾷᾼῂῃῄῇῌῲῳῴῷῼ", "ὬὭὮὯὰαάᾶΑὴηήῆΗὼωώῶΩ"),
    (
        '\u{3099}',
        "がぎぐげござじずぜぞだぢづでどばびぶべぼゔゞガギグゲゴザジズゼゾダヂヅデドバビブベボヴヷ",
        "かきくけこさしすせそたちつてとはひふへほうゝカキクケコサシスセソタチツテトハヒフヘホウワ",
    ),
    ('\u{3099}', "ヸヹヺヾ", "ヰヱヲヽ"),
    ('\u{309a}', "ぱぴぷぺぽパピプペポ", "はひふへほハヒフヘホ"),
];

/// Takes one mark off a letter: the letter without it, and the mark.
pub(super) fn unmark(letter: char) -> Option<(char, char)> {
    if letter < '\u{c0}' {
        return None;
    }
    if let Some(parts) = split_syllable(letter) {
        return Some(parts);
    }
    MARKED.iter().find_map(|&(mark, marked, bare)| {
        let at = marked.chars().position(|other| other == letter)?;
        Some((bare.chars().nth(at)?, mark))
    })
}

/// Takes the last sound off a Hangul syllable (Unicode, section 3.12).
fn split_syllable(letter: char) -> Option<(char, char)> {
    let place = (letter as u32).checked_sub(0xac00).filter(|&place| place < 11172)?;
    let (head, tail) = (place / 28, place % 28);
    if tail > 0 {
        Some((char::from_u32(0xac00 + head * 28)?, char::from_u32(0x11a7 + tail)?))
    } else {
        Some((char::from_u32(0x1100 + head / 21)?, char::from_u32(0x1161 + head % 21)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_off_one_by_one() {
        assert_eq!(unmark('é'), Some(('e', '\u{301}')));
        assert_eq!(unmark('ệ'), Some(('ẹ', '\u{302}')));
        assert_eq!(unmark('が'), Some(('か', '\u{3099}')));
        assert_eq!(unmark('한'), Some(('하', '\u{11ab}')));
        assert_eq!(unmark('하'), Some(('\u{1112}', '\u{1161}')));
        assert_eq!(unmark('e'), None);
        assert_eq!(unmark('海'), None);
    }

    #[test]
    fn every_row_pairs_letters_with_letters() {
        for (mark, marked, bare) in MARKED {
            assert_eq!(marked.chars().count(), bare.chars().count(), "{mark:?}");
        }
    }
}
