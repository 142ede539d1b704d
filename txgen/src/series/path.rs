// SPDX-License-Identifier: GPL-2.0
//! Which paths of a kernel tree a series may name.

/// Says what is wrong with `path` as the path of a file in a kernel tree.
pub fn check(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("is empty");
    }
    if path.starts_with('/') {
        return Err("is absolute: give it from the top of the kernel tree");
    }
    if path.bytes().any(|b| b < b' ' || b == b'\\' || b == 0x7f) {
        return Err("has control characters or backslashes");
    }
    for part in path.split('/') {
        match part {
            "" => return Err("has an empty part"),
            "." | ".." => return Err("has a `.` or `..` in it"),
            _ if part.eq_ignore_ascii_case(".git") => return Err("goes into .git"),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_path_that_leaves_the_tree_is_refused() {
        for bad in ["", "/etc/passwd", "../x", "net/../../x", "net//x", "net/", ".git/config", "a\nb", "./x"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert_eq!(check("net/core/skbuff.c"), Ok(()));
    }
}
