import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "./server.ts";

const NGINX = "/usr/sbin/nginx";

export interface Front {
  readonly port: number;
  readonly tls: boolean;
  /** Whether nginx removes the prefix before it forwards a request. */
  readonly strips: boolean;
}

export interface Nginx extends AsyncDisposable {
  /** Path of the self-signed certificate. */
  readonly certificate: string;
}

/** Returns a currently free port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts Debian's nginx with its default limits. It forwards `prefix` of each front to the server at port
 * `upstream`.
 */
export async function startNginx(upstream: number, prefix: string, fronts: readonly Front[]): Promise<Nginx> {
  if (!existsSync(NGINX)) throw new Error("this needs a proxy: apt-get install nginx-light");
  const dir = await temporaryDirectory();
  const [certificate, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync(
    "openssl",
    ["req", "-x509", ...curve, "-nodes", "-days", "2", ...names, "-keyout", key, "-out", certificate],
    { stdio: "ignore" },
  );
  const servers = fronts.map(
    ({ port, tls, strips }) => `
    server {
      listen 127.0.0.1:${port}${tls ? " ssl" : ""};
      ${tls ? `ssl_certificate ${certificate}; ssl_certificate_key ${key};` : ""}
      location ${prefix}/ {
        proxy_pass http://127.0.0.1:${upstream}${strips ? "/" : ""};
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
      }
    }`,
  );
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await writeFile(
    join(dir, "nginx.conf"),
    `daemon off; master_process off; pid ${dir}/nginx.pid; error_log stderr;
  events {}
  http {
    access_log off;
    ${temporary.map((name) => `${name}_temp_path ${dir}/${name};`).join(" ")}
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    ${servers.join("\n")}
  }`,
  );
  const child = spawn(NGINX, ["-e", "stderr", "-c", join(dir, "nginx.conf")], { stdio: "inherit" });
  const ended = once(child, "exit");
  for (const { port } of fronts) await answering(port);
  return {
    certificate,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      await removeDirectory(dir);
    },
  };
}

/** Resolves once the port accepts connections. */
async function answering(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const open = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
