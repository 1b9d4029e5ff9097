// The document of a page that is served: asked for again and again, and given on when it is another one.

/** Between two questions, in milliseconds. */
const EVERY = 2000;

/** Asks beside the page. `hear(document)` gets what is new, `miss(isAway)` whether the server answers. */
export function listen(hear, miss) {
  let tag = null;
  const ask = async () => {
    try {
      const answer = await fetch("report.json", { headers: tag ? { "if-none-match": tag } : {}, cache: "no-store" });
      if (answer.ok) {
        tag = answer.headers.get("etag");
        hear(await answer.json());
      }
      miss(!answer.ok && answer.status !== 304);
    } catch {
      miss(true);
    }
  };
  const again = () => (document.hidden ? Promise.resolve() : ask()).then(() => setTimeout(again, EVERY));
  return ask().then(() => setTimeout(again, EVERY));
}
