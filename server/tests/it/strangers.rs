//! What strangers send: requests of `tests/corpus`, damaged by dice, over real connections. Whatever it is, the answer is
//! an answer, in time, and the shop goes on selling.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::dice::Dice;
use crate::shop::Shop;

/// How many damaged requests are made of each of the corpus.
const OF_EACH: usize = 150;
/// Where the seeds begin; any number is as good.
const FIRST_SEED: u64 = 20_261_127;
/// How long an answer may take: more than this is a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is put where nobody expects it.
const ODD: [&str; 30] = [
    "",
    "\0",
    "\r\n",
    "\r\n\r\n",
    "&",
    "=",
    "%",
    "%00",
    "%ff",
    "%c3%28",
    "+",
    ";",
    ",",
    ":",
    "~",
    ".",
    "/",
    "../",
    "//",
    "?",
    "#",
    "[",
    "]",
    "details[",
    "-1",
    "0",
    "99999999999999999999",
    "\u{202e}",
    "<script>",
    "'\"",
];

/// The requests of the corpus, each with its name.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .collect();
    all.sort();
    all
}

fn damage(dice: &mut Dice, bytes: &mut Vec<u8>, others: &[u8]) {
    let at = dice.below(bytes.len() + 1);
    let to = (at + dice.below(40)).min(bytes.len());
    match dice.below(7) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 => drop(bytes.drain(at..to)),
        2 => {
            let part = bytes[at..to].to_vec();
            bytes.splice(at..at, part);
        }
        3 => {
            let from = dice.below(others.len());
            let part = others[from..(from + dice.below(200)).min(others.len())].to_vec();
            bytes.splice(at..to, part);
        }
        4 if dice.happens(10) => {
            let long = vec![b'a'; dice.pick(&[1_000, 10_000, 70_000])];
            bytes.splice(at..at, long);
        }
        _ => {
            let odd = dice.pick(&ODD);
            bytes.splice(at..at, odd.bytes());
        }
    }
}

/// The request as it goes out: lines as HTTP has them, and the length of the body that there is.
fn request(dice: &mut Dice, times: usize, original: &[u8], others: &[u8]) -> Vec<u8> {
    let end_of_head = original.windows(2).position(|two| two == b"\n\n").unwrap();
    let (mut head, mut body) = (original[..end_of_head].to_vec(), original[end_of_head + 2..].to_vec());
    for _ in 0..times {
        let in_head = body.is_empty() || dice.happens(35);
        damage(dice, if in_head { &mut head } else { &mut body }, others);
    }
    let mut out = Vec::new();
    for byte in head {
        if byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(byte);
    }
    let rest = format!("\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    out.extend(rest.bytes());
    out.extend(body);
    out
}

/// The answer; nothing where the connection was closed.
async fn answer(address: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Whoever does not like a request may close before it has ended.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_stranger_sends_is_answered_and_the_shop_goes_on() {
    let shop = Shop::new().await;
    let address = shop.url.strip_prefix("http://").unwrap();
    let corpus = corpus();
    let others: Vec<u8> = corpus.iter().flat_map(|(_, request)| request.clone()).collect();
    let mut answered = 0_u32;
    for (index, (name, original)) in corpus.iter().enumerate() {
        for number in 0..OF_EACH {
            let seed = FIRST_SEED + u64::try_from(index * OF_EACH + number).unwrap();
            let mut dice = Dice(seed);
            // The first of each is as it should be.
            let times = if number == 0 { 0 } else { 1 + dice.below(4) };
            let sent = request(&mut dice, times, original, &others);
            let got = tokio::time::timeout(PATIENCE, answer(address, &sent)).await;
            let shown = String::from_utf8_lossy(&sent[..sent.len().min(3_000)]);
            let got = got.unwrap_or_else(|_| panic!("{name}, seed {seed}: no answer to\n{shown}"));
            let head = String::from_utf8_lossy(&got[..got.len().min(200)]);
            if got.is_empty() {
                continue;
            }
            answered += 1;
            let status: u16 = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
            assert!((200..500).contains(&status), "{name}, seed {seed}: {head}\n\n{shown}");
        }
    }
    let sent = u32::try_from(corpus.len() * OF_EACH).unwrap();
    assert!(answered > sent / 2, "{answered} of {sent} were answered");
    assert_eq!(shop.get("/checkout?cart=box:1").await.status, 200);
}
