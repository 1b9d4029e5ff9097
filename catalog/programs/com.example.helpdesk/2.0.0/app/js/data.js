// Tickets and articles of Fennwick Supply's service desk.
const DEFAULTS = {
  portal_title: "Fennwick Supply help desk", categories: ["Hardware", "Software", "Access", "Building"],
  sla_hours: 24, support_phone: "+1 555 0142",
};

const ME = "Robin Ashdown";
const AGENTS = ["Mateo Rivas", "Lena Fischer"];

/** How much of the normal answer time a priority has. */
const PRIORITIES = { Low: 2, Normal: 1, High: 0.5, Urgent: 0.125 };

/** `age` and `after` are hours: since the ticket was opened, and from then to the reply. */
const TICKETS = [
  {
    id: 2107, title: "Label printer at Dock 4 prints blank labels", category: 0, priority: "High", status: "Open", by: "Jonas Lindqvist", age: 5,
    text: "Since this morning every second label is blank. I changed the roll and switched it off and on. Trucks are waiting.",
    replies: [],
  },
  {
    id: 2104, title: "Cannot open the route planner", category: 1, priority: "Normal", status: "Waiting", by: ME, age: 20,
    text: "After signing in I see a white page. It worked on Friday. Other programs are fine.",
    replies: [{ by: "Lena Fischer", after: 3, text: "Thank you for the report. Could you tell me which browser you use, and whether a private window shows the same?" }],
  },
  {
    id: 2099, title: "Badge does not open the Linden Street gate", category: 2, priority: "Normal", status: "Open", by: "Priya Raman", age: 30,
    text: "My new badge opens the office but not the gate. The old one has been collected already.",
    replies: [{ by: "Mateo Rivas", after: 6, text: "The gate takes its list at midnight. If it still refuses you tomorrow, call me and I will come over." }],
  },
  {
    id: 2093, title: "Second screen for the dispatch desk", category: 0, priority: "Low", status: "Open", by: "Priya Raman", age: 70,
    text: "We plan two rounds side by side and keep losing windows. A 27-inch screen would do.",
    replies: [],
  },
  {
    id: 2088, title: "Heating in the packing hall stays cold", category: 3, priority: "Urgent", status: "Solved", by: ME, age: 122,
    text: "It is 11 degrees in the packing hall and the valve makes a clicking noise.",
    replies: [
      { by: "Mateo Rivas", after: 1, text: "The caretaker is on the way. There are two heaters in storage room B until then." },
      { by: "Mateo Rivas", after: 26, text: "The valve has been replaced. Please tell us if it gets cold again." },
    ],
  },
];

const ARTICLES = [
  { id: "printer", title: "A label printer prints blank or pale labels", topic: "Hardware", steps: ["Open the lid and check that the shiny side of the ribbon faces the head.", "Wipe the head with a cleaning pen and wait a minute.", "Hold the feed button for three seconds: the printer measures the roll.", "If it still prints blanks, open a ticket and tell us the number on the yellow sticker."] },
  { id: "password", title: "Set a new password", topic: "Access", steps: ["Choose “Forgotten password” on the sign-in page.", "Enter your work address. A code comes to your phone.", "Choose at least 14 characters. Three words that do not belong together work well."] },
  { id: "badge", title: "A badge does not open a door", topic: "Access", steps: ["New rights reach the doors after midnight.", "Hold the badge flat and away from your phone.", "If the light stays red, tell us the door and the number on the back."] },
  { id: "white-page", title: "A program shows a white page", topic: "Software", steps: ["Reload the page once with Ctrl and F5.", "Try a private window. If it works there, delete this site's data.", "Tell us the time at which you tried, so that we find it in the log."] },
  { id: "scanner", title: "Connect a hand scanner to a new truck", topic: "Hardware", steps: ["Put the scanner on its cradle until it blinks blue.", "Scan the code inside the driver's door.", "Scan any parcel. The truck's number appears on the small screen."] },
  { id: "heating", title: "It is too cold or too warm", topic: "Building", steps: ["Check that gates and the door of the hall are shut.", "The halls are heated to 17 degrees between 05:00 and 21:00.", "Report the number of the heater, which is on its lower edge."] },
];
