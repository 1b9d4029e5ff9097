const { el, $, fill } = Kit;
let box, config;

const iso = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
const dateOf = (text) => new Date(`${text}T12:00:00`);
const plusDays = (text, days) => {
  const date = dateOf(text);
  date.setDate(date.getDate() + days);
  return iso(date);
};
const shortDay = (text) => dateOf(text).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" });
const today = () => iso(new Date());
const hour = (hours) => `${String(hours % 24).padStart(2, "0")}:00`;
const hoursOf = (kind) => `${hour(SHIFTS[kind].from)} to ${hour(SHIFTS[kind].to)}`;
const describe = (shift) => `${SHIFTS[shift.kind].name} on ${shortDay(shift.day)}`;
const shiftOf = (id) => box.state.shifts.find((shift) => shift.id === id);

function weekStart(text) {
  const first = config.week_starts_on === "sunday" ? 0 : 1;
  return plusDays(text, -((dateOf(text).getDay() - first + 7) % 7));
}
const weekDays = (start) => [0, 1, 2, 3, 4, 5, 6].map((days) => plusDays(start, days));

/** Three weeks of the pattern: the last one, this one and the next one. */
function firstState() {
  const shifts = [];
  for (const day of [-7, 0, 7].flatMap((days) => weekDays(plusDays(weekStart(today()), days)))) {
    for (const [person, pattern] of Object.entries(PATTERN)) {
      const kind = pattern.split(" ")[dateOf(day).getDay()];
      if (kind !== "-") shifts.push({ id: `${day}-${person}`, day, person, kind });
    }
  }
  const next = (person) => shifts.find((shift) => shift.person === person && shift.day > today());
  return {
    shifts, away: AWAY, next: 1,
    swaps: [
      { id: "w1", from: "lena", to: ME, shift: next("lena").id, note: "My daughter has her swimming test that day.", status: "open" },
      { id: "w2", from: "tomasz", to: null, shift: next("tomasz").id, note: "Dentist in the morning after. Anybody?", status: "open" },
    ],
  };
}

/** Hours between two shifts of one person; negative when they overlap. */
function restBetween(earlier, later) {
  const days = Math.round((dateOf(later.day) - dateOf(earlier.day)) / Kit.DAY);
  return days * 24 + SHIFTS[later.kind].from - SHIFTS[earlier.kind].to;
}

const awayOn = (person, day) => box.state.away[person]?.[dateOf(day).getDay()] ?? [];

/** Everything in these days that breaks a rule: who, which shifts, and why. */
function conflicts(days, shifts = box.state.shifts) {
  const found = [];
  for (const [person, name] of Object.entries(PEOPLE)) {
    const own = shifts.filter((shift) => shift.person === person)
      .sort((a, b) => a.day.localeCompare(b.day) || SHIFTS[a.kind].from - SHIFTS[b.kind].from);
    const inWeek = own.filter((shift) => days.includes(shift.day));
    own.slice(1).forEach((shift, index) => {
      const rest = restBetween(own[index], shift);
      if (!days.includes(shift.day) || rest >= RULES.rest) return;
      const text = rest < 0 ? `${name} is planned twice at once: ${describe(own[index])} and ${describe(shift)}.`
        : `${name} has ${rest} hours of rest before ${describe(shift)}; ${RULES.rest} are needed.`;
      found.push({ shifts: [own[index].id, shift.id], text });
    });
    for (const shift of inWeek.filter((each) => awayOn(person, each.day).includes(each.kind))) {
      found.push({ shifts: [shift.id], text: `${name} is not available for ${describe(shift)}.` });
    }
    const hours = inWeek.reduce((sum, shift) => sum + SHIFTS[shift.kind].to - SHIFTS[shift.kind].from, 0);
    if (hours > RULES.week) found.push({ shifts: inWeek.map((shift) => shift.id), text: `${name} is planned for ${hours} hours this week; ${RULES.week} are agreed.` });
  }
  return found;
}

function editor(redraw) {
  const dialog = $("#edit");
  const form = $("form", dialog);
  let current = null;
  Object.entries(SHIFTS).forEach(([kind, shift]) => $("#kind").append(el("option", { value: kind }, `${shift.name}, ${hoursOf(kind)}`)));
  Object.entries(PEOPLE).forEach(([id, name]) => $("#person").append(el("option", { value: id }, name)));
  $("#cancel").addEventListener("click", () => dialog.close());
  const done = (text) => {
    box.save();
    dialog.close();
    redraw();
    Kit.say(text);
  };
  $("#remove").addEventListener("click", () => {
    box.state.shifts = box.state.shifts.filter((shift) => shift.id !== current.id);
    box.state.swaps = box.state.swaps.filter((swap) => swap.shift !== current.id);
    done("The shift has been removed.");
  });
  $("#ask").addEventListener("click", () => {
    const open = box.state.swaps.some((swap) => swap.shift === current.id && swap.status === "open");
    if (!open) box.state.swaps.push({ id: `w${Date.now()}`, from: ME, to: null, shift: current.id, note: "", status: "open" });
    done(open ? "You have asked already." : "Your colleagues have been asked.");
  });
  Kit.onSubmit(form, ({ kind, person }) => {
    if (current.id === null) box.state.shifts.push({ id: `n${box.state.next++}`, day: current.day, person, kind });
    else Object.assign(current, { kind, person });
    done("Saved.");
  });
  return (shift) => {
    current = shift;
    $("#edit-title").textContent = shift.id === null ? `New shift, ${shortDay(shift.day)}` : `Shift, ${shortDay(shift.day)}`;
    $("#kind").value = shift.kind;
    $("#person").value = shift.person;
    $("#remove").hidden = shift.id === null;
    $("#ask").hidden = shift.id === null || shift.person !== ME;
    dialog.showModal();
  };
}

function drawWeek(start, edit) {
  const days = weekDays(start);
  const found = conflicts(days);
  const clashing = new Set(found.flatMap((conflict) => conflict.shifts));
  const mark = (day) => (day === today() ? "today" : null);
  $("#week").textContent = `${shortDay(days[0])} to ${shortDay(days[6])}`;
  $("#verdict").textContent = found.length === 0 ? "No conflicts" : found.length === 1 ? "1 conflict" : `${found.length} conflicts`;
  $("#verdict").className = `tag ${found.length === 0 ? "good" : "bad"}`;
  fill($("#conflicts"), found.map((conflict) => el("li", {}, conflict.text)));
  fill($("#head"), el("th", { scope: "col" }, "Who"), days.map((day) => el("th", { scope: "col", class: mark(day) }, shortDay(day), day === today() && el("span", { class: "visually-hidden" }, " (today)"))));
  const button = (shift) => el("button", {
    type: "button", class: `shift ${shift.kind} ${clashing.has(shift.id) ? "clash" : ""}`, on: { click: () => edit(shift) },
  }, SHIFTS[shift.kind].name, clashing.has(shift.id) && " ⚠", clashing.has(shift.id) && el("span", { class: "visually-hidden" }, " (conflict)"), el("small", {}, hoursOf(shift.kind)));
  const cell = (person, day) => el("td", { class: mark(day) },
    box.state.shifts.filter((shift) => shift.person === person && shift.day === day).map(button),
    awayOn(person, day).length > 0 && el("span", { class: "away" }, `Not ${awayOn(person, day).map((kind) => SHIFTS[kind].name.toLowerCase()).join(", ")}`),
    el("button", { type: "button", class: "add", "aria-label": `Add a shift for ${PEOPLE[person]} on ${shortDay(day)}`, on: { click: () => edit({ id: null, day, person, kind: "early" }) } }, "+"));
  fill($("#rows"), Object.entries(PEOPLE).map(([id, name]) => el("tr", {}, el("th", { scope: "row" }, name, id === ME && " (you)"), days.map((day) => cell(id, day)))));
}

function swapItem(swap, redraw) {
  const shift = shiftOf(swap.shift);
  const settle = (status, text) => () => {
    swap.status = status;
    if (status === "taken") shift.person = ME;
    box.save();
    redraw();
    Kit.say(text);
  };
  const day = [-1, 0, 1].map((days) => plusDays(shift.day, days));
  const taken = box.state.shifts.map((each) => (each === shift ? { ...each, person: ME } : each));
  const clash = swap.from !== ME && conflicts(day, taken).find((conflict) => conflict.shifts.includes(shift.id) && conflict.text.startsWith(PEOPLE[ME]));
  const open = swap.status === "open";
  return el("li", { class: "card" },
    el("div", { class: "row spread" }, el("strong", {}, `${PEOPLE[swap.from]}: ${describe(shift)}, ${hoursOf(shift.kind)}`),
      el("span", { class: `tag ${open ? "warn" : swap.status === "taken" ? "good" : ""}` }, { open: "Open", taken: "Taken by you", declined: "Declined", withdrawn: "Withdrawn" }[swap.status])),
    el("p", { class: "soft" }, swap.to === ME ? "Asks you. " : "Asks everybody. ", swap.note),
    open && clash && el("p", { class: "notice" }, `If you take it: ${clash.text}`),
    open && swap.from === ME && el("button", { type: "button", on: { click: settle("withdrawn", "Withdrawn.") } }, "Withdraw"),
    open && swap.from !== ME && el("div", { class: "row" },
      el("button", { type: "button", class: "primary", on: { click: settle("taken", "The shift is yours now.") } }, "Take the shift"),
      el("button", { type: "button", on: { click: settle("declined", "Declined.") } }, "Decline")));
}

const PAGES = {
  index() {
    let start = weekStart(today());
    const draw = () => drawWeek(start, edit);
    const edit = editor(draw);
    const move = (days) => () => { start = days === null ? weekStart(today()) : plusDays(start, days); draw(); };
    $("#before").addEventListener("click", move(-7));
    $("#now").addEventListener("click", move(null));
    $("#after").addEventListener("click", move(7));
    draw();
  },
  swaps() {
    const draw = () => {
      const swaps = box.state.swaps.filter((swap) => shiftOf(swap.shift));
      fill($("#swaps"), swaps.map((swap) => swapItem(swap, draw)));
      $("#none").hidden = swaps.length > 0;
      const mine = box.state.shifts.filter((shift) => shift.person === ME && shift.day > today()).sort((a, b) => a.day.localeCompare(b.day));
      fill($("#shift"), mine.map((shift) => el("option", { value: shift.id }, describe(shift))));
    };
    fill($("#to"), el("option", { value: "" }, "Everybody"), Object.entries(PEOPLE).filter(([id]) => id !== ME).map(([id, name]) => el("option", { value: id }, name)));
    Kit.onSubmit($("#offer"), ({ shift, to, note }, form) => {
      box.state.swaps.unshift({ id: `w${Date.now()}`, from: ME, to: to || null, shift, note: note.trim(), status: "open" });
      box.save();
      form.reset();
      draw();
      Kit.say("Your request has been sent.");
    });
    draw();
  },
  availability() {
    const mine = box.state.away[ME] ??= {};
    const first = config.week_starts_on === "sunday" ? 0 : 1;
    const order = [0, 1, 2, 3, 4, 5, 6].map((index) => (index + first) % 7);
    fill($("#days"), order.map((day) => el("fieldset", {}, el("legend", {}, DAY_NAMES[day]), Object.entries(SHIFTS).map(([kind, shift]) =>
      el("label", { class: "check" }, el("input", { type: "checkbox", name: `${day}-${kind}`, checked: !(mine[day] ?? []).includes(kind) }), shift.name)))));
    const report = () => {
      const start = weekStart(today());
      const found = conflicts([...weekDays(start), ...weekDays(plusDays(start, 7))]).filter((conflict) => conflict.text.startsWith(`${PEOPLE[ME]} is not available`));
      $("#effect").textContent = found.length === 0 ? "Your shifts of this week and the next fit what you said." : "These shifts do not fit and need a swap:";
      fill($("#misfits"), found.map((conflict) => el("li", {}, conflict.text)));
    };
    Kit.onSubmit($("#availability"), (fields) => {
      order.forEach((day) => { mine[day] = Object.keys(SHIFTS).filter((kind) => fields[`${day}-${kind}`] !== "on"); });
      box.save();
      report();
      Kit.say("Your availability has been saved.");
    });
    report();
  },
};

async function start() {
  config = await Kit.settings(DEFAULTS);
  box = Kit.store("com.example.roster/1", firstState);
  $("#organisation").textContent = config.organisation;
  PAGES[document.body.dataset.page]();
}
start();
