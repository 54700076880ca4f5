/** Most events of a subscription that the page shows. */
const MAX_EVENTS = 50;

const STYLE = `
  #listening { background: #222; border-radius: 4px; bottom: 12px; color: #fff; font: 13px system-ui, sans-serif; padding: 4px 10px; position: fixed; right: 24px; z-index: 10; }
`;

/**
 * Makes GraphiQL list the events of a subscription. GraphiQL itself shows only the newest result. This script
 * replaces each field of a result by the list of its values so far, newest first. While the response is open,
 * the page shows that it listens and the number of events.
 */
const SCRIPT = `
  (() => {
    const send = window.fetch.bind(window);
    window.fetch = async (input, init) => {
      const response = await send(input, init);
      const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream");
      if (!isEvents || response.body === null) return response;
      return new Response(withLists(response.body), response);
    };

    function withLists(body) {
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      const encoder = new TextEncoder();
      const lists = {};
      const indicator = document.createElement("output");
      indicator.id = "listening";
      let count = 0;
      const show = () => {
        indicator.textContent = "Listening: " + (count === 0 ? "no event yet" : count === 1 ? "1 event" : count + " events, the newest first");
      };
      show();
      document.body.append(indicator);
      let rest = "";
      return new ReadableStream({
        async pull(controller) {
          try {
            const { done, value } = await reader.read();
            if (done) {
              indicator.remove();
              return controller.close();
            }
            const blocks = (rest + value).split("\\n\\n");
            rest = blocks.pop();
            // An empty chunk makes the reader pull again.
            controller.enqueue(encoder.encode(blocks.map((block) => withList(block) + "\\n\\n").join("")));
          } catch (error) {
            indicator.remove();
            controller.error(error);
          }
        },
        cancel(reason) {
          indicator.remove();
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

/** The style and script that list events. The page must include them before any script that calls `fetch`. */
export const EVENT_LIST = `<style>${STYLE}</style><script>${SCRIPT}</script>`;
