// SPDX-License-Identifier: GPL-2.0
//! What a base can do, found by looking into its files; version numbers play no part.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::git::Repo;

/// A capability that series and renderings depend on.
#[derive(Debug)]
pub struct Fact {
    /// Its name, for programs.
    pub key: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    find: Find,
}

/// How a capability is found in a tree.
#[derive(Debug)]
enum Find {
    /// One of these files is there; the answer is the folder.
    Place(&'static [&'static str]),
    /// The file is there.
    File(&'static str),
    /// The file has this text.
    Text { file: &'static str, text: &'static str },
    /// The function or struct that starts with `from` has this text before its closing brace.
    Body { file: &'static str, from: &'static str, text: &'static str },
    /// In the struct that starts with `from`, the member `text` is inside a further brace.
    Nested { file: &'static str, from: &'static str, text: &'static str },
}

/// Every capability, in the order it is shown.
pub const FACTS: &[Fact] = &[
    Fact {
        key: "get_netmem",
        what: "get_netmem() and put_netmem()",
        find: Find::Text { file: "include/net/netmem.h", text: "get_netmem(netmem_ref" },
    },
    Fact {
        key: "devmem_tx",
        what: "device memory can be sent",
        find: Find::Text { file: "net/core/datagram.c", text: "zerocopy_fill_skb_from_devmem(" },
    },
    Fact {
        key: "netmem_desc",
        what: "struct netmem_desc",
        find: Find::Text { file: "include/net/netmem.h", text: "struct netmem_desc {" },
    },
    Fact {
        key: "percpu_binding_ref",
        what: "dmabuf bindings have a percpu ref",
        find: Find::Body {
            file: "net/core/devmem.h",
            from: "struct net_devmem_dmabuf_binding {",
            text: "struct percpu_ref ref;",
        },
    },
    Fact {
        key: "iov_iter_extract_bvecs",
        what: "iov_iter_extract_bvecs()",
        find: Find::Text { file: "include/linux/uio.h", text: "iov_iter_extract_bvecs(struct iov_iter" },
    },
    Fact {
        key: "dma_map_phys",
        what: "dma_map_phys()",
        find: Find::Text { file: "include/linux/dma-mapping.h", text: "dma_map_phys(struct device" },
    },
    Fact {
        key: "orphan_at_ip_local",
        what: "frags are orphaned at local IP delivery",
        find: Find::Text { file: "net/ipv4/ip_input.c", text: "skb_orphan_frags_rx(" },
    },
    Fact {
        key: "esp_downgrade_managed",
        what: "ESP downgrades managed frags",
        find: Find::Text { file: "net/ipv4/esp4.c", text: "skb_zcopy_downgrade_managed(" },
    },
    Fact {
        key: "put_page_skips_slab",
        what: "put_page() skips slab pages",
        find: Find::Body {
            file: "include/linux/mm.h",
            from: "static inline void put_page(struct page *page)\n{",
            text: "folio_test_slab(",
        },
    },
    Fact {
        key: "destructor_arg_union",
        what: "skb_shared_info.destructor_arg is in a union",
        find: Find::Nested {
            file: "include/linux/skbuff.h",
            from: "struct skb_shared_info {",
            text: "*destructor_arg;",
        },
    },
    Fact { key: "iptfs", what: "IP-TFS", find: Find::File("net/xfrm/xfrm_iptfs.c") },
    Fact {
        key: "kunit_iov_iter",
        what: "KUnit tests of iov_iter",
        find: Find::Place(&["lib/tests/kunit_iov_iter.c", "lib/kunit_iov_iter.c"]),
    },
    Fact { key: "rust_iov", what: "Rust: iov.rs", find: Find::File("rust/kernel/iov.rs") },
    Fact { key: "rust_netlink", what: "Rust: netlink.rs", find: Find::File("rust/kernel/net/netlink.rs") },
];

/// What a tree answers to a [`Fact`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// It has it, or not.
    Has(bool),
    /// It has it in this folder.
    In(String),
}

impl Answer {
    /// Whether the tree has it at all.
    pub fn has(&self) -> bool {
        !matches!(self, Self::Has(false))
    }

    /// The answer in a word.
    pub fn display(&self) -> &str {
        match self {
            Self::Has(true) => "yes",
            Self::Has(false) => "no",
            Self::In(place) => place,
        }
    }
}

/// The answers of a tree, in the order of [`FACTS`].
pub fn look(repo: &Repo, tree: &str) -> Result<Vec<(&'static Fact, Answer)>> {
    FACTS.iter().map(|fact| Ok((fact, answer(repo, tree, &fact.find)?))).collect()
}

/// Whether a tree has the capability `key`; an unknown one is an error.
pub fn has(repo: &Repo, tree: &str, key: &str) -> Result<bool> {
    let fact = FACTS.iter().find(|fact| fact.key == key).with_context(|| format!("there is no capability {key:?}"))?;
    Ok(answer(repo, tree, &fact.find)?.has())
}

fn answer(repo: &Repo, tree: &str, find: &Find) -> Result<Answer> {
    let text = |path: &str| -> Result<String> {
        Ok(repo.file(tree, path)?.map_or_else(String::new, |b| String::from_utf8_lossy(&b.bytes).into_owned()))
    };
    Ok(Answer::Has(match find {
        Find::File(path) => repo.file(tree, path)?.is_some(),
        Find::Place(paths) => {
            for path in *paths {
                if let Some((folder, _)) = path.rsplit_once('/')
                    && repo.file(tree, path)?.is_some()
                {
                    return Ok(Answer::In(format!("{folder}/")));
                }
            }
            false
        }
        Find::Text { file, text: wanted } => text(file)?.contains(wanted),
        Find::Body { file, from, text: wanted } => body(&text(file)?, from).is_some_and(|b| b.contains(wanted)),
        Find::Nested { file, from, text: wanted } => {
            let text = text(file)?;
            let before = body(&text, from).and_then(|b| Some(b.split_once(wanted)?.0));
            before.is_some_and(|b| b.matches('{').count() > b.matches('}').count() + 1)
        }
    }))
}

/// The text from `from` to the next closing brace at the start of a line.
fn body<'a>(text: &'a str, from: &str) -> Option<&'a str> {
    let start = &text[text.find(from)?..];
    start.find("\n}").map(|end| &start[..end])
}
