use anubad::decode::*;
use anubad::model::decoder_only::{DecoderConfig, DecoderOnly, vocabulary};
use anubad::model::layers::{Compute, Placement};
use anubad::model::weights::gguf::Gguf;
use anubad::tokenizer::{GgufTokenizer, Tokenizer};
use std::sync::Arc;
use std::time::Instant;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let n: usize = args[1].parse().unwrap();
    let par: usize = args[2].parse().unwrap();
    let threads: usize = args[3].parse().unwrap();
    let compute = if args.get(4).is_some_and(|a| a == "f32") { Compute::F32 } else { Compute::Int8 };
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let t = Instant::now();
    let gguf = Arc::new(
        Gguf::open(std::path::Path::new("models/anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00001-of-00002.gguf"))
            .unwrap(),
    );
    eprintln!("open {:?}", t.elapsed());
    let tok = GgufTokenizer::new(vocabulary::read(&gguf).unwrap()).unwrap();
    eprintln!("tok {:?}", t.elapsed());
    let keep: Vec<u32> = (0..tok.vocab_size() as u32)
        .filter(|&i| !tok.piece(i).unwrap_or_default().chars().any(|c| ('\u{980}'..='\u{9ff}').contains(&c)))
        .collect();
    eprintln!("keep {} {:?}", keep.len(), t.elapsed());
    let full = args.get(5).is_some();
    let net = DecoderOnly::load(
        gguf.clone(),
        DecoderConfig::from_gguf(&gguf).unwrap(),
        if full { None } else { Some(keep) },
        vec![1],
        Placement::cpu(compute),
    )
    .unwrap();
    eprintln!("load {:?}", t.elapsed());
    let lines: Vec<String> = std::fs::read_to_string("/work/shared/data/dev_news.tsv")
        .unwrap()
        .lines()
        .take(n)
        .map(|l| l.split('\t').next().unwrap().to_string())
        .collect();
    let opts = Arc::new(DecodeOptions { loop_guard: false, ..Default::default() });
    let mut session =
        Session::new(Arc::new(net), Limits { rows: par * 260, memory_rows: 0, hypotheses: par, step_tokens: 512 })
            .unwrap();
    let t = Instant::now();
    let mut reqs: std::collections::VecDeque<Request> = lines
        .iter()
        .enumerate()
        .map(|(i, l)| {
            let mut ids = vec![2];
            ids.extend(tok.encode(&format!("Bengali: {l}\nEnglish:")).unwrap());
            Request { id: i as u64, source: ids, options: opts.clone(), max_new_tokens: 160 }
        })
        .collect();
    let mut out = vec![String::new(); lines.len()];
    let mut made = 0;
    while !reqs.is_empty() || !session.is_empty() {
        while let Some(r) = reqs.front() {
            if session.has_room(r) {
                session.admit(reqs.pop_front().unwrap()).unwrap();
            } else {
                break;
            }
        }
        for f in session.step().unwrap() {
            let h = &f.result.unwrap()[0];
            made += h.tokens.len();
            out[f.id as usize] = tok.decode(&h.tokens).unwrap();
        }
    }
    let s = t.elapsed().as_secs_f64();
    let st = session.stats();
    eprintln!("{n} sentences {s:.2}s {:.1} sent/s {:.0} made tok/s {:?}", n as f64 / s, made as f64 / s, st);
    for o in out {
        println!("{}", o.trim());
    }
}
