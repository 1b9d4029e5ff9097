// The vault of Fennwick Supply: folders, the labels that say how long to keep, and documents.
const ME = "Robin Ashdown";

const FOLDERS = [
  { id: "contracts", name: "Contracts" },
  { id: "leases", name: "Leases", in: "contracts" },
  { id: "suppliers", name: "Suppliers", in: "contracts" },
  { id: "people", name: "People" },
  { id: "finance", name: "Finance" },
  { id: "board", name: "Board" },
];

/** `days` is how long a document is kept after it was added; a hold keeps it until somebody lifts it. */
const LABELS = {
  working: { name: "Working paper", days: 365 },
  contract: { name: "Contract", days: 3653 },
  tax: { name: "Tax record", days: 2922 },
  personnel: { name: "Personnel file", days: 1096 },
  hold: { name: "Legal hold", days: null },
};

const DOCUMENTS = [
  {
    id: "D-311", name: "Lease of Dock 4.txt", folder: "leases", label: "contract", by: "Hanna Weiss", added: 29,
    text: "LEASE OF DOCK 4, LINDEN STREET\n\nBetween Linden Street Yards and Fennwick Supply.\n\n1. The landlord lets loading dock 4 with its ramp and two bays, 640 square metres.\n\n2. The lease runs for three years. Notice: six months to the end of a quarter.\n\n3. Rent: 4,180 euro a month, due on the third working day.",
  },
  {
    id: "D-304", name: "Kestrel Foods supply terms.txt", folder: "suppliers", label: "contract", by: "Amara Osei", added: 61,
    text: "SUPPLY TERMS, KESTREL FOODS\n\nDelivery: Monday to Saturday, 05:30 to 11:00, at temperatures of 2 to 7 degrees.\n\nPallets heavier than 900 kg are split before loading.\n\nInvoices are sent weekly and are due after fourteen days.",
  },
  {
    id: "D-298", name: "Forklift maintenance.txt", folder: "suppliers", label: "contract", by: "Jonas Lindqvist", added: 96,
    text: "FORKLIFT MAINTENANCE\n\nSix forklifts, inspected every 500 operating hours.\n\nThe contractor answers calls within eight working hours. Yearly price: 7,350 euro.",
  },
  {
    id: "D-287", name: "Accident at ramp 2.txt", folder: "people", label: "hold", by: "Priya Raman", added: 140,
    text: "ACCIDENT AT RAMP 2\n\nThe dock leveller dropped by about 30 cm while a pallet truck stood on it. Nobody was hurt. The leveller was locked and the manufacturer informed the same day.\n\nKept for the insurer: do not delete.",
  },
  {
    id: "D-276", name: "Shift allowance letter.txt", folder: "people", label: "personnel", by: "Hanna Weiss", added: 210,
    text: "SHIFT ALLOWANCE\n\nFor shifts that begin after 20:00 an allowance of 22 per cent on the hourly wage is paid.\n\nNight shifts are published fourteen days ahead.",
  },
  {
    id: "D-240", name: "Value added tax, second quarter.txt", folder: "finance", label: "tax", by: "Tomasz Kowal", added: 120,
    text: "VALUE ADDED TAX, SECOND QUARTER\n\nTaxable turnover        1,204,330.00\nTax at the full rate      228,822.70\nInput tax                 151,907.15\nPayable                    76,915.55",
  },
  {
    id: "D-233", name: "Fleet renewal, options.txt", folder: "board", label: "working", by: ME, added: 352,
    text: "FLEET RENEWAL, OPTIONS\n\nA. Replace trucks 3, 7 and 12 now: 410,000 euro, saves 38,000 a year.\n\nB. Replace truck 12 only and overhaul the others: 205,000 euro.\n\nC. Lease four electric trucks for the harbour round: 5,900 euro a month.\n\nProposal: C, with a review after twelve months.",
  },
];
