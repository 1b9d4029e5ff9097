// The depots of Fennwick Supply and what is looked at in each of them.
const DEFAULTS = { checklist_title: "Depot inspection", severity_levels: ["Minor", "Major", "Critical"], organisation: "Fennwick Supply" };

const ME = "Robin Ashdown";
const SITES = ["Linden Street, Dock 4", "Linden Street, yard", "Harbour depot", "Eastgate depot"];

/** Sections, and in each the points: key, what must be so, and how to look at it. */
const CHECKLIST = [
  ["Ways and exits", [
    ["exits", "Emergency exits are free and open outwards", "Open each of them once, from inside."],
    ["signs", "Escape signs are lit and can be seen", "Stand at the furthest rack and look for the next sign."],
    ["lanes", "Lanes for people are marked and not blocked", "At least 90 cm wide, nothing leaning in."],
  ]],
  ["Loading dock", [
    ["leveller", "Dock leveller rises and locks", "Without load, twice."],
    ["chocks", "Wheel chocks are at hand for each bay", "Two for each bay."],
    ["edges", "Edges carry their warning stripes", "Repaint where less than half can be seen."],
    ["lights", "Bay lights work", "Green outside means red inside."],
  ]],
  ["Equipment", [
    ["forklifts", "Forklifts have a valid inspection badge", "The date is on the mast."],
    ["racks", "Racks show no bent uprights", "More than 5 mm over one metre: unload it at once."],
    ["ladders", "Ladders stand safely and have all feet", "Shake each of them."],
  ]],
  ["Fire and first aid", [
    ["extinguishers", "Extinguishers are sealed and in date", "Needle in the green."],
    ["sprinklers", "Half a metre is free under the sprinklers", "Measure at the highest pallet."],
    ["firstaid", "First-aid boxes are complete", "Compare with the list in the lid."],
    ["charging", "Nothing is stored beside charging batteries", "Two metres on each side."],
  ]],
];
const POINTS = CHECKLIST.flatMap(([, points]) => points);
const ANSWERS = { pass: "In order", fail: "Not in order", na: "Not here" };
