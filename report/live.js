// The document of a page that is served: asked for again and again, and given on when it is another one.

/** Between two questions, in milliseconds. */
const EVERY = 2000;

/** How much is shown of a reason why there is no document, in characters. */
const LONGEST = 400;

/** Asks beside the page. `hear(document)` gets what is new, `say(trouble)` why there is nothing new, or null. */
export function listen(hear, say) {
  let tag = null;
  const ask = async () => {
    const answer = await fetch("report.json", { headers: tag ? { "if-none-match": tag } : {}, cache: "no-store" }).catch(() => null);
    if (answer === null) return say("The server does not answer.");
    if (answer.status === 304) return say(null);
    const text = await answer.text().catch(() => null);
    if (text === null) return say("The answer of the server broke off.");
    if (!answer.ok) return say(`No newer report: ${text.slice(0, LONGEST)}`);
    tag = answer.headers.get("etag");
    say(null);
    return hear(JSON.parse(text));
  };
  const again = () => (document.hidden ? Promise.resolve() : ask()).finally(() => setTimeout(again, EVERY));
  return ask().finally(() => setTimeout(again, EVERY));
}
