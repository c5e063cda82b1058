//! The list of all settings: name, default, meaning. Everything else about configuration follows
//! from it; what a value must look like is said where it is read.

/// One setting.
#[derive(Debug)]
pub struct Key {
    /// Its dotted path; `*` stands for any market.
    pub path: &'static str,
    /// The default, as TOML; `None` if there is none.
    pub default: Option<&'static str>,
    /// An example, as TOML, for a key without a default.
    pub example: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Never shown.
    pub secret: bool,
}

const fn key(path: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { path, default: Some(default), example: default, about, secret: false }
}

const fn optional(path: &'static str, example: &'static str, about: &'static str) -> Key {
    Key { path, default: None, example, about, secret: false }
}

const fn secret(path: &'static str, example: &'static str, about: &'static str) -> Key {
    Key { path, default: None, example, about, secret: true }
}

/// Every key, section by section.
pub const KEYS: &[Key] = &[
    optional("default_market", r#""us""#, "The market of a request that names none."),
    key(
        "server.listen",
        r#""127.0.0.1:8080""#,
        "Where to take requests. Off loopback, set tls_cert and tls_key or put a proxy in front.",
    ),
    key(
        "server.internal_listen",
        r#""127.0.0.1:9464""#,
        "Where to answer /metrics, for the operator only; \"off\" for nowhere. \
         The default gives way if its port is taken.",
    ),
    optional(
        "server.tls_cert",
        r#""/etc/evercart/fullchain.pem""#,
        "Certificate chain (PEM) for HTTPS; read again on SIGHUP.",
    ),
    optional("server.tls_key", r#""/etc/evercart/privkey.pem""#, "The chain's private key (PEM)."),
    key(
        "server.cors_origins",
        "[]",
        "Origins whose pages may call the API from a browser, such as https://shop.example; \
         * for any.",
    ),
    key(
        "server.trusted_proxies",
        "[]",
        "Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed, such as \
         10.0.0.0/8.",
    ),
    key(
        "server.requests_max",
        "256",
        "The most requests at work at once. More get a 503, up to 1.5 s later, and while some do, \
         a quarter as many are let in: so those stay quick.",
    ),
    key(
        "server.streams_max",
        "10000",
        "The most streams of cart events open at once; more get a 503. Each takes a connection.",
    ),
    key(
        "server.connections_max",
        "20000",
        "The most connections open at once; more are closed. Each takes an open file of the \
         process, and fewer are taken where the system allows fewer files.",
    ),
    key(
        "server.connections_per_address_max",
        "2000",
        "The most of them from one address: an IPv4 address, which a whole office or mobile \
         network may share, or an IPv6 /64. A /56 has twice as many, a /48 four times; \
         trusted_proxies and loopback are not counted.",
    ),
    key("server.request_timeout", r#""10s""#, "How long a request may take before it gets a 503."),
    key(
        "server.send_timeout",
        r#""30s""#,
        "How long a client may take nothing of an answer before its connection is closed. One that \
         is slow and goes on taking is not cut off.",
    ),
    key(
        "server.hsts_max_age",
        r#""8760h""#,
        "With tls_cert: for how long browsers come to this host by HTTPS only \
         (Strict-Transport-Security), whatever its port; 0s has them forget it.",
    ),
    key("server.grace", r#""10s""#, "How long a stop waits for requests that still run."),
    key(
        "storage.data",
        r#""evercart-data""#,
        "The directory with the keys and, unless they are in PostgreSQL, the databases (one a \
         market). Relative to the working directory.",
    ),
    optional(
        "storage.mark_file",
        r#""/var/lib/evercart/evercart.mark""#,
        "The file, outside the databases, that says how far they had come, so that a return to \
         older data is noticed; default: evercart.mark in the data directory. Set it if that \
         cannot be written.",
    ),
    optional(
        "storage.keys_file",
        r#""/run/credentials/evercart.service/keys.json""#,
        "The key file, if it is not keys.json in the data directory. It is brought there by \
         whoever runs the server, and never made.",
    ),
    secret(
        "storage.database_url",
        r#""postgres://shop@db.example/shop""#,
        "A PostgreSQL database to keep the markets in, each in a schema of its own, instead of in \
         files. Any number of servers may share it, and need the same keys.json then.",
    ),
    optional(
        "storage.database_url_file",
        r#""/run/credentials/evercart.service/database-url""#,
        "A file that holds the URL, instead of database_url.",
    ),
    optional(
        "storage.database_ca",
        r#""/etc/evercart/database-ca.pem""#,
        "Authorities (PEM) that vouch for the database's certificate; default: the system's.",
    ),
    key(
        "storage.distributed",
        "false",
        "The PostgreSQL is the coordinator of a Citus cluster, and the markets are spread over its \
         workers; docs/scaling.md.",
    ),
    optional(
        "storage.books_years",
        "10",
        "Years after which orders of customers who were erased are deleted as a whole; default: \
         they stay, without their customer, for the books.",
    ),
    optional(
        "storage.batch_max",
        "512",
        "The most operations that share one commit, 1 gives each its own; default: 512, in \
         PostgreSQL 128.",
    ),
    key("storage.queue_max", "4096", "The most operations waiting; more get a 503."),
    optional(
        "storage.readers",
        "2",
        "Threads that read, for each market; default: cores, at least 2. \
         half as many more read the catalogue for anybody. In PostgreSQL, connections that read \
         carts; default: 2.",
    ),
    key(
        "storage.writers",
        "2",
        "PostgreSQL: connections that change carts, for each market. SQLite has one writer.",
    ),
    key(
        "storage.pool",
        "16",
        "PostgreSQL: connections for everything else, for each market, at most. Whoever looks at \
         the catalogue has a quarter of them.",
    ),
    key(
        "auth.token_lifetime",
        r#""30m""#,
        "How long an access token is good for. Made shorter, it ends tokens written for longer.",
    ),
    key(
        "auth.issuer",
        r#""evercart""#,
        "The iss of every token; tokens of another issuer are refused.",
    ),
    key(
        "auth.phone_change_hold",
        r#""24h""#,
        "How long after a change of phone the former phone can stop it. Until then that phone \
         makes no new customer, and the account is neither moved again nor erased; 0s for no hold.",
    ),
    secret(
        "auth.test_phones",
        r#"{ "+13128059851" = { codes = ["123456"], until = "2027-01-31" } }"#,
        "Phones that sign in with fixed codes, such as an app store's reviewers, up to the end of \
         a day in UTC. They are sent nothing, and their codes do nothing else.",
    ),
    key("auth.limits.code_lifetime", r#""10m""#, "How long a sign-in code is good for."),
    key("auth.limits.attempts_per_code", "5", "Wrong codes before a phone has to wait."),
    key(
        "auth.limits.resend_after",
        r#""60s""#,
        "The least time between two codes to one phone; 0s for none.",
    ),
    key("auth.limits.sends_per_phone", "3", "Codes to one phone in each phone_window."),
    key("auth.limits.phone_window", r#""15m""#, "See sends_per_phone."),
    key(
        "auth.limits.sends_per_ip_hour",
        "30",
        "Codes asked for from one address in an hour: an IPv4 address or an IPv6 /64. A /56 has \
         twice as many, a /48 four times.",
    ),
    key(
        "auth.limits.sends_per_prefix_hour",
        "1000",
        "Codes to one country code in an hour. A quarter is kept for customers with a token.",
    ),
    key(
        "auth.limits.sends_per_market_hour",
        "1000",
        "Codes in one market in an hour. A quarter is kept for customers with a token.",
    ),
    key(
        "auth.limits.failures_per_ip_hour",
        "100",
        "Wrong codes from one address in an hour; wider IPv6 networks as in sends_per_ip_hour. \
         Past it, only the first try of a code that was asked for from there is compared.",
    ),
    key(
        "auth.limits.failures_per_market_hour",
        "500",
        "Wrong codes in one market in an hour; past half of it they are answered later and later. \
         A guess is right once in a million, so 500 an hour let one in after 83 days. Customers \
         mistype far less often than one code in two; raise it with sends_per_market_hour.",
    ),
    key(
        "limits.cart_changes_per_hour",
        "2000",
        "Changes of one customer's cart in an hour; more get a 429. 0 for no limit, here and \
         below. A demo has these limits only if one of them is set.",
    ),
    key(
        "limits.changes_per_hour",
        "500",
        "Changes of one customer's wishlist, addresses, profile and orders in an hour.",
    ),
    key("limits.orders_per_hour", "30", "Orders of one customer in an hour."),
    key("limits.open_orders", "50", "Orders of one customer within a day that are still pending."),
    key(
        "limits.open_pieces",
        "5000",
        "Pieces in those: as much as one customer can keep from the others without paying.",
    ),
    key(
        "sms.provider",
        r#""log""#,
        "Who delivers codes: log (development: writes them to the log), webhook or twilio.",
    ),
    optional(
        "sms.url",
        r#""https://sms.example/send""#,
        "Where the webhook posts; for twilio another address of its API.",
    ),
    secret(
        "sms.secret",
        r#""whsec_…""#,
        "Webhook: the Standard Webhooks secret. Twilio: the auth token.",
    ),
    optional(
        "sms.secret_file",
        r#""/run/credentials/evercart.service/sms-secret""#,
        "A file that holds the secret, instead of secret.",
    ),
    optional("sms.account_sid", r#""AC…""#, "Twilio: the account."),
    optional("sms.from", r#""+13125550100""#, "Twilio: the sending number or messaging service."),
    optional(
        "backup.every",
        r#""1h""#,
        "How often a server backs up all its markets by itself; not set: never. Of servers that \
         share a PostgreSQL one does it.",
    ),
    key(
        "backup.keep",
        r#""24h,7d,4w""#,
        "Which of these backups stay: the newest of each of so many hours, days and weeks.",
    ),
    optional(
        "backup.directory",
        r#""/var/backups/evercart""#,
        "Where these backups go: a directory that is there, on another disk than the data.",
    ),
    key("log.format", r#""human""#, "human or json."),
    key(
        "log.level",
        r#""info""#,
        "error, warn, info, debug or trace; or directives such as info,evercart_http=debug.",
    ),
    key("markets.*.enabled", "true", "false removes the market from this shop; its data stays."),
    optional("markets.*.country", r#""United States""#, "The country's name."),
    optional("markets.*.region", r#""US""#, "ISO 3166-1 code: how phones without + are read."),
    optional("markets.*.currency", r#""USD""#, "ISO 4217 code: what prices are in."),
    optional("markets.*.phone_prefix", r#""+1""#, "Only phones that begin with it may sign in."),
    optional(
        "markets.*.regions",
        r#"["US"]"#,
        "ISO 3166-1 codes of the regions whose phones may sign in, of those that share \
         phone_prefix, such as [\"US\", \"CA\"]; default: region.",
    ),
    key("markets.*.languages", r#"["en"]"#, "Languages of messages, the default first."),
    key("markets.*.shipping.flat", r#""0""#, "What delivery costs."),
    key(
        "markets.*.shipping.free_from",
        r#""never""#,
        "Delivery is free when the goods cost this much; \"never\" if it never is.",
    ),
    key("markets.*.tax_rate", r#""0""#, "The tax contained in prices: 0.12 is 12 %."),
    secret(
        "markets.*.database_url",
        r#""postgres://shop@db.example/shop""#,
        "A PostgreSQL database for this market alone, such as in its own country.",
    ),
    optional(
        "markets.*.database_url_file",
        r#""/run/credentials/evercart.service/database-url""#,
        "A file that holds the URL, instead of database_url.",
    ),
];

/// The markets that come configured: name, key below `markets.NAME`, value as TOML.
pub const BUILT_IN_MARKETS: &[(&str, &[(&str, &str)])] = &[
    (
        "us",
        &[
            ("country", r#""United States""#),
            ("region", r#""US""#),
            ("currency", r#""USD""#),
            ("phone_prefix", r#""+1""#),
            ("languages", r#"["en"]"#),
            ("shipping.flat", r#""9.99""#),
            ("shipping.free_from", r#""75.00""#),
            ("tax_rate", r#""0""#),
        ],
    ),
    (
        "kg",
        &[
            ("country", r#""Kyrgyzstan""#),
            ("region", r#""KG""#),
            ("currency", r#""KGS""#),
            ("phone_prefix", r#""+996""#),
            ("languages", r#"["ky", "ru"]"#),
            ("shipping.flat", r#""150.00""#),
            ("shipping.free_from", r#""5000.00""#),
            ("tax_rate", r#""0.12""#),
        ],
    ),
];

/// The key a path names.
pub fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| matches(key.path, path))
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut pattern = pattern.split('.');
    let mut path = path.split('.');
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some("*"), Some(name)) if !name.is_empty() => {}
            (Some(expected), Some(found)) if expected == found => {}
            _ => return false,
        }
    }
}

/// True if `path` is a section: some key is below it.
pub fn is_section(path: &str) -> bool {
    let depth = path.split('.').count();
    KEYS.iter().any(|key| {
        let parts: Vec<&str> = key.path.split('.').collect();
        parts.len() > depth && matches(&parts[..depth].join("."), path)
    })
}

/// The key whose name is most like a wrong one, if any is.
pub fn nearest(wrong: &str) -> Option<String> {
    let market = wrong.strip_prefix("markets.").and_then(|rest| rest.split('.').next());
    let candidates = KEYS.iter().map(|key| match market {
        Some(market) => key.path.replace('*', market),
        None => key.path.to_owned(),
    });
    let last = wrong.rsplit('.').next().unwrap_or(wrong);
    candidates
        .map(|path| {
            let own_last = path.rsplit('.').next().unwrap_or(&path).to_owned();
            // The right name in the wrong section counts as near, too.
            let distance = match own_last == last {
                true => 1,
                false => edits(wrong, &path),
            };
            (distance, path)
        })
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, path)| path)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
