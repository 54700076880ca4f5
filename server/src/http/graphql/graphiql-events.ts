/** The page shows this many events of a subscription at most. */
const MAX_EVENTS = 50;

const STYLE = `
  #listening { background: #222; border-radius: 4px; bottom: 12px; color: #fff; font: 13px system-ui, sans-serif; padding: 4px 10px; position: fixed; right: 24px; z-index: 10; }
`;

/**
 * GraphiQL shows each result of a subscription in place of the one before. This turns each field of a result into a list
 * of the values that have arrived, the newest first, and says for as long as the response lasts that the page listens.
 */
const SCRIPT = `
  (() => {
    const send = window.fetch.bind(window);
    window.fetch = async (input, init) => {
      const response = await send(input, init);
      const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream");
      if (!isEvents || response.body === null) return response;
      return new Response(listed(response.body), response);
    };

    function listed(body) {
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      const encoder = new TextEncoder();
      const lists = {};
      const sign = document.createElement("output");
      sign.id = "listening";
      let count = 0;
      const show = () => {
        sign.textContent = "Listening: " + (count === 0 ? "no event yet" : count === 1 ? "1 event" : count + " events, the newest first");
      };
      show();
      document.body.append(sign);
      let rest = "";
      return new ReadableStream({
        async pull(controller) {
          try {
            const { done, value } = await reader.read();
            if (done) {
              sign.remove();
              return controller.close();
            }
            const blocks = (rest + value).split("\\n\\n");
            rest = blocks.pop();
            // An empty chunk asks for the next one.
            controller.enqueue(encoder.encode(blocks.map((block) => withList(block) + "\\n\\n").join("")));
          } catch (error) {
            sign.remove();
            controller.error(error);
          }
        },
        cancel(reason) {
          sign.remove();
          return reader.cancel(reason);
        },
      });

      function withList(block) {
        const lines = block.split("\\n");
        if (!lines.some((line) => /^event: ?next$/.test(line))) return block;
        const result = JSON.parse(lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\\n"));
        if (!result.data || result.hasNext !== undefined) return block;
        for (const [name, value] of Object.entries(result.data)) {
          lists[name] = [value, ...(lists[name] ?? [])].slice(0, ${MAX_EVENTS});
          result.data[name] = lists[name];
        }
        count += 1;
        show();
        return "event: next\\ndata: " + JSON.stringify(result);
      }
    }
  })();
`;

/** What the page needs to list the events of a subscription. It stands before everything that calls `fetch`. */
export const EVENT_LIST = `<style>${STYLE}</style><script>${SCRIPT}</script>`;
