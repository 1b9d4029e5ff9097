// What the colleagues of Fennwick Supply have been talking about, and how they answer.
const DEFAULTS = { retention_days: 365, default_channels: ["general", "announcements"], organisation: "Fennwick Supply" };

const ME = "robin";
const PEOPLE = {
  robin: { name: "Robin Ashdown", role: "Operations (you)", status: "Here" },
  priya: { name: "Priya Raman", role: "Dispatch lead", status: "Here" },
  jonas: { name: "Jonas Lindqvist", role: "Warehouse, Dock 4", status: "On shift until 18:00" },
  amara: { name: "Amara Osei", role: "Customer care", status: "Here" },
  mateo: { name: "Mateo Rivas", role: "IT support", status: "In a meeting" },
  hanna: { name: "Hanna Weiss", role: "Managing director", status: "Travelling" },
};

/** Each line: minutes ago, channel, author, text, and the line that it answers (by its index). */
const HISTORY = [
  [5760, "announcements", "hanna", "The Linden Street depot opens on Monday. Thank you all for the past six weeks."],
  [5700, "announcements", "mateo", "Badges for Linden Street are ready at my desk. Bring the old one, please."],
  [2980, "general", "amara", "Two customers asked for delivery before 07:00. Do we offer that anywhere yet?"],
  [2961, "general", "priya", "Only on the harbour round. I can add a slot if there are more than five a week.", 2],
  [2950, "general", "amara", "Then I will count them this week and tell you on Friday.", 2],
  [1500, "dispatch", "priya", "Truck 12 is back from its inspection. @jonas it can load at Dock 4 from noon."],
  [1492, "dispatch", "jonas", "Good. I have moved the paper rolls to the front.", 5],
  [1310, "general", "mateo", "The label printers get new firmware tonight between 22:00 and 23:00."],
  [410, "returns", "amara", "Order 48213 came back with a broken seal. @robin may I refund it without a photo?"],
  [396, "returns", "robin", "Yes. Note the lot number, please, so that we can see whether it is the whole pallet.", 8],
  [95, "dispatch", "jonas", "Pallet 7 of the Kestrel order is 40 kg over. Split it or wait for the big truck?"],
  [88, "dispatch", "priya", "Split it. @robin can you change the papers before 15:00?", 10],
  [34, "general", "hanna", "The auditors praised our stock count. Cake in the kitchen at Linden Street."],
  [12, "general", "jonas", "The cake is very good and will not be here long."],
];

/** The first pattern that fits gives the answer; the last one fits everything. */
const ANSWERS = [
  [/\b(hello|hi|morning|hey)\b/i, ["Hello! Good to see you here.", "Hi! How is it going?"]],
  [/\b(thanks|thank you|cheers)\b/i, ["You are welcome.", "Any time."]],
  [/\b(truck|pallet|load|dock)\b/i, ["I will look at the loading plan and come back to you in ten minutes.", "Dock 4 is free from 14:30. Shall I book it?"]],
  [/\b(refund|return|order)\b/i, ["Noted. I have put it on the returns list for today.", "Send me the order number and I will check it."]],
  [/\b(printer|password|login|badge|laptop)\b/i, ["Please open a ticket too, so that it does not get lost. I will look at it after lunch."]],
  [/\?\s*$/, ["Good question. I believe so, but let me ask before I promise it.", "Yes, from tomorrow on."]],
  [/./s, ["Got it.", "Makes sense to me.", "Fine. I will tell the late shift."]],
];
