const NO_TOKEN =
  "This server needs a token. Paste an API key or a JSON Web Token into the field at the top of this page.";

const STYLE = `
  body { display: flex; flex-direction: column; height: 100vh; margin: 0; }
  #root { flex: 1; height: auto; min-height: 0; }
  #token { align-items: center; background: #fff7d6; color: #222; display: flex; flex-wrap: wrap; font: 14px system-ui, sans-serif; gap: 8px; padding: 8px 12px; }
  #token.signed-in { background: #e3f5e5; }
  #token input { border: 1px solid #888; border-radius: 4px; font: inherit; min-width: 280px; padding: 4px 8px; }
  #token button { background: #fff; border: 1px solid #888; border-radius: 4px; cursor: pointer; font: inherit; padding: 4px 12px; }
`;

/**
 * Adds the token to every request of the page, so that all tabs and the schema request use it. It is kept
 * only in the page's memory, because storage would keep it for the next user of this browser. Without a
 * token, no request is sent.
 */
const SCRIPT = `
  (() => {
    let token = "";
    const send = window.fetch.bind(window);
    window.fetch = async (input, init) => {
      const request = new Request(input, init);
      if (!request.headers.has("authorization")) {
        if (token === "") {
          const errors = [{ message: ${JSON.stringify(NO_TOKEN)}, extensions: { code: "UNAUTHENTICATED" } }];
          return new Response(JSON.stringify({ errors }), { headers: { "content-type": "application/json" } });
        }
        request.headers.set("authorization", "Bearer " + token);
      }
      return send(request);
    };
    addEventListener("DOMContentLoaded", () => {
      const form = document.querySelector("#token");
      const field = form.querySelector("input");
      const status = form.querySelector("output");
      const show = (text, signedIn) => {
        status.textContent = text;
        form.classList.toggle("signed-in", signedIn);
      };
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        token = field.value.trim();
        field.value = "";
        if (token === "") return show("Signed out. Paste a token to sign in.", false);
        try {
          const body = JSON.stringify({ query: "{ viewer { actor role } }" });
          const headers = { accept: "application/json", "content-type": "application/json" };
          const response = await window.fetch(location.pathname, { method: "POST", headers, body });
          const { data, errors } = await response.json();
          if (!data) throw new Error(errors[0].message);
          show("Signed in as " + data.viewer.actor + " (" + data.viewer.role + ") until this page is closed or reloaded.", true);
          document.querySelector('button[aria-label^="Re-fetch"]')?.click();
        } catch (error) {
          token = "";
          show("The token was not accepted. " + error.message, false);
        }
      });
    });
  })();
`;

const FORM = `
  <form id="token">
    <label>Token <input type="password" autocomplete="off" spellcheck="false" placeholder="API key or JSON Web Token" autofocus></label>
    <button>Use in all tabs</button>
    <output>${NO_TOKEN}</output>
  </form>
`;

/** Returns the page with one field for a token, which all its requests use. */
export function withTokenField(html: string): string {
  return html
    .replace("</head>", () => `<style>${STYLE}</style><script>${SCRIPT}</script></head>`)
    .replace('<div id="root">', (root) => `${FORM}${root}`);
}
