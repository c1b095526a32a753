//! Every container, mutated: whatever comes out, reading ends, within its limits.

use super::{Folder, log};
use crate::input::{Body, Limits, Options};

/// Rounds for each container; more with `TIDESCOPE_ROUNDS`.
const ROUNDS: u64 = 40;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    /// Damage of one kind or another.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let (at, len) = (self.below(bytes.len()), self.below(600));
            let end = (at + len).min(bytes.len());
            match self.below(7) {
                0 | 1 if !bytes.is_empty() => bytes[at] = self.below(256) as u8,
                2 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                3 => bytes[at..end].fill([0, 0xff, b'7', b'P'][self.below(4)]),
                4 => bytes.truncate(at),
                5 => drop(bytes.drain(at..end)),
                _ => {
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
    }
}

#[test]
fn no_damage_makes_reading_fail() {
    let folder = Folder::new();
    for number in 0..3 {
        folder.write(
            &format!("in/{number}{}.log", "n".repeat(number as usize * 70)),
            log(40 + number * 100, 500 + number),
        );
    }
    folder
        .sh("cp in/0.log in/s; truncate -s 300K in/s; dd if=in/0.log of=in/s seek=100 bs=4K conv=notrunc 2>/dev/null");
    folder.sh(
        "cd in; tar -cf ../gnu.tar *; tar --format=pax -cf ../pax.tar *; tar -Scf ../sparse.tar s
        tar --format=pax -S --sparse-version=1.0 -cf ../sparse1.tar s; tar --format=pax -S --sparse-version=0.1 -cf ../sparse01.tar s
        zip -q ../a.zip *; zip -q - * | cat > ../b.zip; zip -q0 - *.log | cat > ../stored.zip; zip -qfz -Z bzip2 ../64.zip *
        cd ..; for z in *.zip; do gzip -c $z > $z.gz; tar -cf $z.tar $z; done
        for t in 'gzip -c' 'zstd -qc' 'xz -c --block-size=4000' 'bzip2 -c' 'lz4 -qc -B4 -BD' 'lz4 -qc -BX'; do
          $t pax.tar > \"pax.tar.$(echo $t | tr -c 'a-z0-9\\n' _)\"; ($t in/0.log; $t in/1*; $t in/0.log) > \"log.$(echo $t | tr -c 'a-z0-9\\n' _)\"; done",
    );
    let limits = Limits { members: 200, ratio_floor: 1 << 20, source_bytes: 4 << 20, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let rounds = std::env::var("TIDESCOPE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for (seed, name) in (1..).zip(names.iter().filter(|name| *name != "in")) {
        let original = folder.bytes(name.to_str().unwrap());
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
        for round in 0..rounds {
            let mut bytes = original.clone();
            random.mutate(&mut bytes);
            folder.write("mutant", &bytes);
            let mut sources = 0;
            for input in folder.discover(&["mutant"], &options).inputs {
                input.read(&mut |_, body| {
                    sources += 1;
                    let Body::Stream(stream) = body else { return };
                    let (mut total, mut buffer) = (0, vec![0; 1 + random.below(70_000)]);
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        total += count as u64;
                        assert!(total <= 4 << 20, "{name:?}, round {round}");
                        if random.below(200) == 0 {
                            break;
                        }
                    }
                });
            }
            assert!(sources <= 200, "{name:?}, round {round}");
        }
    }
}
