const $ = (id) => document.getElementById(id);

/** What was rendered for this customer; the defaults when the page is opened outside a shell. */
async function config() {
  try {
    const answer = await fetch("tenant-config.json");
    if (answer.ok) return await answer.json();
  } catch {
    // Opened as a plain file.
  }
  return { organisation: "", settings: { greeting: "Welcome", contact_email: "", links: [] } };
}

function link({ label, url }) {
  const item = document.createElement("li");
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.textContent = label;
  anchor.rel = "noopener";
  item.append(anchor);
  return item;
}

function showStart(settings) {
  $("today").textContent = new Date().toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" });
  $("greeting").textContent = settings.greeting;
  $("links").replaceChildren(...settings.links.map(link));
}

function showContact(organisation, { contact_email }) {
  $("organisation").textContent = organisation;
  $("mail").textContent = contact_email;
  $("mail").href = `mailto:${contact_email}`;
}

config().then(({ organisation, settings }) => {
  if ($("greeting")) showStart(settings);
  if ($("mail")) showContact(organisation, settings);
});
