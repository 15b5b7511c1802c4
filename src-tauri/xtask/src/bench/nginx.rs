//! nginx as a plain reverse proxy: the practical lower bound for any proxy.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::client::MeasuredServer;
use super::dialect::BenchDialect;
use super::process::MeasuredProcess;

/// Paths of nginx, which may be missing from a user's PATH.
const NGINX_PATHS: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

/// Longest time until it listens.
const START_TIME_MAX: Duration = Duration::from_secs(5);

/// A running nginx, stopped on drop.
pub(crate) struct Nginx {
    pub(crate) server: MeasuredServer,
    _process: MeasuredProcess,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it in front of `upstream`; `None` if it is not installed.
    pub(crate) fn start(upstream: SocketAddr) -> Result<Option<Self>> {
        let Some(program) = NGINX_PATHS.into_iter().find(|path| Path::new(path).is_file()) else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let configuration = folder.path().join("nginx.conf");
        std::fs::write(&configuration, config_text(folder.path(), address, upstream))?;
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&configuration);
        command.args(["-e", "error.log"]).stdin(Stdio::null()).stderr(Stdio::null());
        let mut process = MeasuredProcess::start(&mut command)?;
        let deadline = Instant::now() + START_TIME_MAX;
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline || process.child().try_wait()?.is_some() {
                let log = std::fs::read_to_string(folder.path().join("error.log"));
                bail!("nginx does not listen: {}", log.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let server = MeasuredServer {
            address,
            token: "sk-not-asked-for".to_owned(),
            model_prefix: "",
            dialect: BenchDialect::Chat,
        };
        Ok(Some(Self { server, _process: process, _folder: folder }))
    }
}

/// A good production configuration: keep-alive connections, no logs.
fn config_text(folder: &Path, listen: SocketAddr, upstream: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
worker_processes auto;
user root;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  tcp_nodelay on;
  keepalive_requests 10000000;
  upstream bench {{ server {upstream}; keepalive 512; keepalive_requests 10000000; }}
  server {{
    listen {listen} backlog=1024;
    location / {{
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
    }}
  }}
}}
"
    )
}

pub(crate) fn nginx_version() -> Result<String> {
    let program = NGINX_PATHS.into_iter().find(|path| Path::new(path).is_file());
    let Some(program) = program else { return Ok("not installed".to_owned()) };
    let said = Command::new(program).arg("-v").output().context("nginx does not start")?;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    Ok(said.trim().rsplit_once('/').map_or(said.clone(), |(_, version)| version.to_owned()))
}
