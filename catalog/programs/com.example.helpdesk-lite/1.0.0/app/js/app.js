const { el, $, fill } = Kit;

const SAMPLES = [
  { id: 2, about: "Something is broken", text: "The lamp above the franking machine flickers.", days: 1, answer: "" },
  { id: 1, about: "I need something", text: "A left-handed mouse for the reception, please.", days: 6, answer: "It is on your desk. The old one goes into the box beside the door." },
];
const firstState = () => ({ requests: SAMPLES.map(({ days, ...request }) => ({ ...request, at: Date.now() - days * Kit.DAY, done: request.answer !== "" })) });
const box = Kit.store("com.example.helpdesk-lite/1", firstState);

function ask({ about, text }, form) {
  if (text.trim() === "") return;
  const id = Math.max(0, ...box.state.requests.map((request) => request.id)) + 1;
  box.state.requests.unshift({ id, about, text: text.trim(), at: Date.now(), answer: "", done: false });
  box.save();
  form.reset();
  $("#sent").textContent = `Request ${id} has been sent. Somebody answers on the next working day.`;
  $("#sent").hidden = false;
}

function draw() {
  fill($("#requests"), box.state.requests.map((request) => el("li", { class: "card" },
    el("div", { class: "row spread" }, el("h2", {}, `${request.id}. ${request.about}`),
      el("span", { class: `tag ${request.done ? "good" : "warn"}` }, request.done ? "Done" : "Open")),
    el("p", {}, request.text),
    request.answer !== "" && el("p", { class: "notice" }, request.answer),
    el("div", { class: "row spread" }, el("span", { class: "soft" }, Kit.stamp(request.at)),
      !request.done && el("button", { type: "button", "aria-label": `Request ${request.id} is settled`, on: { click: () => {
        request.done = true;
        box.save();
        draw();
        Kit.say(`Request ${request.id} is done.`);
      } } }, "It is settled")))));
  $("#none").hidden = box.state.requests.length > 0;
}

if (document.body.dataset.page === "index") Kit.onSubmit($("form"), ask);
else draw();
