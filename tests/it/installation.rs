//! What an installation says of itself: `doctor` and `licenses`, and that no crate's notice is missing.
use assert_cmd::Command;
use std::collections::BTreeSet;
use std::path::Path;

/// The program on a machine where nothing is: (exit code, stdout, stderr).
fn run(home: &Path, args: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("anubad").unwrap();
    command.env_clear().env("HOME", home).env("HF_HOME", home.join("hf")).env("ANUBAD_CONFIG_DIR", home.join("config"));
    let output = command.envs(variables.iter().copied()).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn doctor(home: &Path, variables: &[(&str, &str)]) -> (i32, serde_json::Value) {
    let (code, stdout, stderr) = run(home, &["doctor", "--json"], variables);
    (code, serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stdout}{stderr}")))
}

#[test]
fn doctor_says_in_ten_lines_what_is_here() {
    let home = tempfile::tempdir().unwrap();
    let cached = home.path().join("hf/hub/models--org--name/blobs");
    std::fs::create_dir_all(&cached).unwrap();
    std::fs::write(cached.join("x"), vec![0; 2_500_000]).unwrap();
    let (code, stdout, stderr) = run(home.path(), &["doctor"], &[]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert_eq!(stdout.lines().count(), 10, "{stdout}");
    for part in
        [env!("CARGO_PKG_VERSION"), "anubad-270m-bn-en", "2.5 MB", "config.toml (there is none)", "broken    nothing"]
    {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let (_, json) = doctor(home.path(), &[("HF_HUB_OFFLINE", "1"), ("ANUBAD_OFFLINE", "1")]);
    assert_eq!(json["caches"][0]["bytes"], 2_500_000);
    assert_eq!((&json["network"]["hub_forbidden"], &json["network"]["pages_forbidden"]), (&true.into(), &true.into()));
    assert_eq!(json["models"].as_array().map(Vec::len), Some(1));
}

#[test]
fn doctor_names_what_is_broken() {
    let home = tempfile::tempdir().unwrap();
    let (code, json) = doctor(home.path(), &[("ANUBAD_KERNELS", "abacus"), ("ANUBAD_MODEL", "no-such-model")]);
    let faults = json["faults"].to_string();
    assert!(code == 1 && faults.contains("abacus") && faults.contains("no-such-model"), "{faults}");
    // With a settings file that no other command starts with.
    std::fs::create_dir_all(home.path().join("config")).unwrap();
    std::fs::write(home.path().join("config/config.toml"), "modle = \"x\"\n").unwrap();
    let (code, json) = doctor(home.path(), &[]);
    assert!(code == 1 && json["faults"].to_string().contains("modle"), "{json}");
    assert_eq!(run(home.path(), &["model", "list"], &[]).0, 2);
}

#[test]
fn settings_of_one_command_are_no_fault_of_the_others() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join("config")).unwrap();
    let text = "model = \"no-such-model\"\n[bulk]\nno-summary = true\n";
    std::fs::write(home.path().join("config/config.toml"), text).unwrap();
    let article = home.path().join("a.txt");
    std::fs::write(&article, "তারা ভালো আছেন।").unwrap();
    let article = article.to_str().unwrap();
    // The model is taken from the folder's file, which may say more than that.
    let (code, _, stderr) = run(home.path(), &["translate", article], &[]);
    assert!(code == 1 && stderr.contains("no-such-model"), "{stderr}");
    let (code, json) = doctor(home.path(), &[]);
    assert!(code == 1 && json["model"]["id"] == "no-such-model", "{json}");
}

fn toml(file: &Path) -> toml::Table {
    std::fs::read_to_string(file).unwrap().parse().unwrap()
}

/// Every package that the workspace needs for more than its tests, whatever the system and the features, by name and
/// version, as Cargo.lock has it.
fn locked() -> BTreeSet<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = toml(&root.join("Cargo.lock"));
    let packages = lock["package"].as_array().unwrap();
    let text = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
    let dependencies = |package: &toml::Value| -> Vec<String> {
        let list = package.get("dependencies").and_then(|list| list.as_array());
        list.into_iter().flatten().map(|d| d.as_str().unwrap().to_owned()).collect()
    };
    // "name", or "name version" where there are several.
    let find = |dependency: &str| {
        let (name, version) = dependency.split_once(' ').map_or((dependency, None), |(name, v)| (name, Some(v)));
        let same = |p: &&toml::Value| text(p, "name") == name && version.is_none_or(|v| text(p, "version") == v);
        packages.iter().find(same).unwrap_or_else(|| panic!("{dependency} is not in Cargo.lock"))
    };
    let mut seen = BTreeSet::new();
    let mut ahead = Vec::new();
    for folder in ["", "python"] {
        let Ok(manifest) = std::fs::read_to_string(root.join(folder).join("Cargo.toml")) else { continue };
        let manifest: toml::Table = manifest.parse().unwrap();
        let mut wanted: BTreeSet<String> = manifest["dependencies"].as_table().unwrap().keys().cloned().collect();
        for target in manifest.get("target").and_then(|t| t.as_table()).into_iter().flat_map(|t| t.values()) {
            let named = target.get("dependencies").and_then(|d| d.as_table());
            wanted.extend(named.into_iter().flat_map(|d| d.keys().cloned()));
        }
        let own = find(manifest["package"]["name"].as_str().unwrap());
        let named = |dependency: &String| wanted.contains(dependency.split(' ').next().unwrap_or_default());
        ahead.extend(dependencies(own).into_iter().filter(named));
    }
    while let Some(dependency) = ahead.pop() {
        let package = find(&dependency);
        // Only those of others have a source.
        if package.get("source").is_some() && seen.insert((text(package, "name"), text(package, "version"))) {
            ahead.extend(dependencies(package));
        }
    }
    seen
}

#[test]
fn every_locked_crate_has_its_notice() {
    let home = tempfile::tempdir().unwrap();
    let (code, stdout, _) = run(home.path(), &["licenses", "--json"], &[]);
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let texts = json["texts"].as_array().unwrap();
    let mut covered = BTreeSet::new();
    for part in json["crates"].as_array().unwrap() {
        let files = part["files"].as_array().unwrap();
        // A file may only name its license, where the text is in another beside it.
        let text_of = |file: &serde_json::Value| {
            texts.get(file[1].as_u64().unwrap() as usize).and_then(|text| text.as_str()).map_or(0, str::len)
        };
        assert!(files.iter().any(|file| text_of(file) > 500), "{part}");
        let text = |key: &str| part[key].as_str().unwrap().to_owned();
        covered.insert((text("name"), text("version")));
    }
    let locked = locked();
    assert!(locked.len() > 200, "{}", locked.len());
    let missing: Vec<_> = locked.difference(&covered).collect();
    let stale: Vec<_> = covered.difference(&locked).collect();
    assert!(missing.is_empty() && stale.is_empty(), "run scripts/notices; missing: {missing:?}, gone: {stale:?}");
}

#[test]
fn licenses_are_printed_whole() {
    let home = tempfile::tempdir().unwrap();
    let (code, all, _) = run(home.path(), &["licenses"], &[]);
    assert_eq!(code, 0);
    for part in [
        "Gemma Terms of Use",
        "Permission is hereby granted",
        "Apache License",
        "candle-core ",
        "Mozilla Public License",
    ] {
        assert!(all.contains(part), "{part}");
    }
    let (_, list, _) = run(home.path(), &["licenses", "--list"], &[]);
    assert!(list.contains("anubad-270m-bn-en: ") && list.lines().count() < 1000 && all.len() > 10 * list.len());
}
