//! What a client is opened with.

use std::time::Duration;

use tenantry::client;

use crate::answer::UnixSeconds;

/// What a client is opened with.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Config {
    /// The folder that it keeps everything in; its own, and nobody else's. On a phone: in the app's private files, not
    /// in its cache folder, which the system empties, and out of the backups.
    pub dir: String,
    /// Where the publication is: the URL above `root/`, `t/` and `o/`. `https`, or `http` on this machine and, in a
    /// development environment, anywhere.
    pub base_url: String,
    /// The tenant's address: 32 letters and digits.
    pub addr: String,
    /// The root that the shell was delivered with: the bytes of `<N>.root.json`. A newer one is found by itself.
    pub trusted_root: Vec<u8>,
    /// Which level the shell has.
    pub platform_code: u32,
    /// Who is counted when a version goes to a share of the tenant's devices: a name that stays the same, such as that of
    /// a user, who then has the same on every device. It is hashed here and told to nobody. The device itself, by a
    /// random name that is kept in `dir`, unless said otherwise.
    #[uniffi(default = None)]
    pub unit: Option<String>,
    /// When the shell was built. No clock is believed to be earlier.
    #[uniffi(default = None)]
    pub built: Option<UnixSeconds>,
    /// What happens to programs that are fetched when they are asked for; they wait, unless said otherwise.
    #[uniffi(default = None)]
    pub on_demand: Option<OnDemand>,
    /// Bounds; the usual ones, unless said otherwise.
    #[uniffi(default = None)]
    pub limits: Option<Limits>,
}

/// What happens to programs that are fetched when they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum OnDemand {
    /// They wait for `install`; those that are installed are kept up to date.
    WhenAsked,
    /// They are fetched with the others. One that cannot be fetched holds nobody up.
    Fetched,
}

/// Bounds on what is taken from outside. What is left out is as usual.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct Limits {
    /// How many archives are fetched at once.
    #[uniffi(default = None)]
    pub downloads: Option<u32>,
    /// Longest manifest, in bytes.
    #[uniffi(default = None)]
    pub max_manifest: Option<u64>,
    /// Longest archive, in bytes.
    #[uniffi(default = None)]
    pub max_archive: Option<u64>,
    /// Fewest bytes a second, measured over `stall_seconds`.
    #[uniffi(default = None)]
    pub least_rate: Option<u64>,
    /// How long that may be undercut, and how long nothing at all may come.
    #[uniffi(default = None)]
    pub stall_seconds: Option<u32>,
    /// How long one refresh may take in all.
    #[uniffi(default = None)]
    pub seconds_in_all: Option<u32>,
}

impl From<Config> for client::Config {
    fn from(it: Config) -> client::Config {
        let usual = client::Config::new(it.dir, it.base_url, it.addr, it.trusted_root, it.platform_code);
        client::Config {
            unit: it.unit,
            built: it.built.map(UnixSeconds::instant),
            optional: it.on_demand.map_or(usual.optional, client::Optional::from),
            limits: it.limits.unwrap_or_default().over(usual.limits),
            ..usual
        }
    }
}

impl From<OnDemand> for client::Optional {
    fn from(it: OnDemand) -> client::Optional {
        match it {
            OnDemand::WhenAsked => client::Optional::WhenAsked,
            OnDemand::Fetched => client::Optional::Fetched,
        }
    }
}

impl Limits {
    /// These, and the usual ones where nothing is said.
    fn over(self, usual: client::Limits) -> client::Limits {
        let seconds = |it: Option<u32>| it.map(|it| Duration::from_secs(it.into()));
        client::Limits {
            downloads: self.downloads.map_or(usual.downloads, |it| usize::try_from(it).unwrap_or(usize::MAX)),
            max_manifest: self.max_manifest.unwrap_or(usual.max_manifest),
            max_archive: self.max_archive.unwrap_or(usual.max_archive),
            pace: client::Pace {
                least_rate: self.least_rate.unwrap_or(usual.pace.least_rate),
                over: seconds(self.stall_seconds).unwrap_or(usual.pace.over),
                in_all: seconds(self.seconds_in_all).unwrap_or(usual.pace.in_all),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_usual() {
        let usual = client::Limits::default();
        assert_eq!(Limits::default().over(usual), usual);
        let given = Limits { downloads: Some(1), stall_seconds: Some(5), ..Limits::default() }.over(usual);
        let pace = client::Pace { over: Duration::from_secs(5), ..usual.pace };
        assert_eq!(given, client::Limits { downloads: 1, pace, ..usual });
    }
}
