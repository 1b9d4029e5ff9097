// The staff of Fennwick Supply. `zone` is the place's time zone; `boss` is the person that somebody reports to.
const SITES = {
  "Linden Street": "Europe/Berlin",
  "Harbour": "Europe/Lisbon",
  "Head office": "Europe/Berlin",
  "Eastgate": "America/New_York",
};

const PEOPLE = [
  { id: "hanna", name: "Hanna Weiss", role: "Managing director", team: "Management", site: "Head office", boss: null, since: 2009, phone: "100", skills: ["strategy", "contracts"], about: "Started at the counter of the first depot. Keeps Friday afternoons free for anybody who wants to talk." },
  { id: "olu", name: "Olu Adeyemi", role: "Head of finance", team: "Finance", site: "Head office", boss: "hanna", since: 2014, phone: "110", skills: ["budget", "audit", "treasury"], about: "Closes the books by the third working day and answers every question about them by the fourth." },
  { id: "noor", name: "Noor Haddad", role: "Accountant", team: "Finance", site: "Head office", boss: "olu", since: 2019, phone: "112", skills: ["expenses", "travel policy"], about: "Second approval for expense claims. Ask before you book, not after." },
  { id: "elif", name: "Elif Demir", role: "Controller", team: "Finance", site: "Eastgate", boss: "olu", since: 2021, phone: "114", skills: ["forecasts", "reporting"], about: "Looks after forecasts and the monthly figures of each depot." },
  { id: "robin", name: "Robin Ashdown", role: "Head of operations", team: "Operations", site: "Linden Street", boss: "hanna", since: 2012, phone: "120", skills: ["planning", "safety"], about: "Runs the depots. In the yard before seven, in the office after ten." },
  { id: "priya", name: "Priya Raman", role: "Dispatch lead", team: "Dispatch", site: "Harbour", boss: "robin", since: 2016, phone: "201", skills: ["routes", "dangerous goods"], about: "Plans 140 rounds a week and knows every low bridge on the way." },
  { id: "samir", name: "Samir Benali", role: "Route planner", team: "Dispatch", site: "Harbour", boss: "priya", since: 2020, phone: "203", skills: ["routes", "maps", "French"], about: "Turns orders into rounds. Tells you honestly when a time is not possible." },
  { id: "kaia", name: "Kaia Nyström", role: "Driver trainer", team: "Dispatch", site: "Harbour", boss: "priya", since: 2011, phone: "205", skills: ["driving", "first aid"], about: "Two hundred drivers trained, no serious accident in nine years." },
  { id: "jonas", name: "Jonas Lindqvist", role: "Warehouse lead, Dock 4", team: "Warehouse", site: "Linden Street", boss: "robin", since: 2015, phone: "301", skills: ["loading", "forklift", "safety"], about: "Dock 4 is his. Label printers fear him." },
  { id: "tomasz", name: "Tomasz Kowal", role: "Night shift lead", team: "Warehouse", site: "Linden Street", boss: "jonas", since: 2017, phone: "305", skills: ["forklift", "Polish"], about: "Works when you sleep. Leave him a note on the board, he reads all of them." },
  { id: "lena", name: "Lena Fischer", role: "Stock controller", team: "Warehouse", site: "Linden Street", boss: "jonas", since: 2018, phone: "306", skills: ["stock count", "spreadsheets"], about: "The last stock count was wrong by four boxes. She found three of them." },
  { id: "grace", name: "Grace Whitlock", role: "Depot lead, Eastgate", team: "Warehouse", site: "Eastgate", boss: "robin", since: 2020, phone: "331", skills: ["loading", "hiring"], about: "Opened the Eastgate depot with six people; now there are forty." },
  { id: "amara", name: "Amara Osei", role: "Head of customer care", team: "Customer care", site: "Head office", boss: "hanna", since: 2013, phone: "130", skills: ["contracts", "complaints"], about: "Answers angry letters with solutions. Collects the funny ones." },
  { id: "ines", name: "Inês Carvalho", role: "Customer adviser", team: "Customer care", site: "Harbour", boss: "amara", since: 2021, phone: "131", skills: ["returns", "Portuguese", "Spanish"], about: "First voice on the line for customers in the south." },
  { id: "bram", name: "Bram de Wit", role: "Customer adviser", team: "Customer care", site: "Head office", boss: "amara", since: 2022, phone: "132", skills: ["returns", "Dutch"], about: "Knows every returns code by heart, and why number 17 no longer exists." },
  { id: "mateo", name: "Mateo Rivas", role: "Head of IT", team: "IT", site: "Head office", boss: "hanna", since: 2016, phone: "140", skills: ["networks", "access", "printers"], about: "Please open a ticket. He reads them, truly." },
  { id: "yuki", name: "Yuki Tanabe", role: "Software engineer", team: "IT", site: "Eastgate", boss: "mateo", since: 2022, phone: "141", skills: ["integration", "data"], about: "Builds what connects the scanners with the stock list." },
  { id: "ruth", name: "Ruth Calloway", role: "Head of people", team: "People", site: "Head office", boss: "hanna", since: 2018, phone: "150", skills: ["hiring", "pay", "mediation"], about: "Contracts, pay, parental leave, and a quiet room for difficult talks." },
];
