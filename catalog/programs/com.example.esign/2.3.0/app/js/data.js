// Envelopes of Fennwick Supply: the documents, who signs them, and what has happened so far.
const DEFAULTS = { jurisdiction: "eidas", reminder_days: 3, organisation: "Fennwick Supply" };

const ME = "Robin Ashdown";

const LAWS = {
  eidas: "Regulation (EU) No 910/2014 (eIDAS)",
  "uk-eidas": "the Electronic Identification and Trust Services for Electronic Transactions Regulations 2016 (UK)",
  zertes: "the Swiss Federal Act on Electronic Signatures (ZertES)",
};

/** `sent` and `signed` count days back from today. */
const ENVELOPES = [
  {
    id: "ENV-1042", title: "Lease of Dock 4, Linden Street", from: "Hanna Weiss", sent: 4,
    signers: [{ name: "Hanna Weiss", signed: 3 }, { name: ME }],
    text: [
      ["1. Premises", "The landlord, Linden Street Yards, lets to the tenant, Fennwick Supply, loading dock 4 with its ramp and the two bays beside it, 640 square metres in all."],
      ["2. Term", "The lease begins on the first day of next month and runs for three years. Either party may end it at the end of a quarter with six months' notice in writing."],
      ["3. Rent", "The rent is 4,180 euro a month, due on the third working day. It includes lighting of the yard and clearing of snow, but not electricity, which is read from meter LS-04."],
      ["4. Care of the dock", "The tenant keeps the dock leveller in working order and has it inspected once a year. Repairs above 900 euro are the landlord's."],
    ],
  },
  {
    id: "ENV-1039", title: "Data processing agreement, Kestrel Foods", from: "Amara Osei", sent: 2,
    signers: [{ name: ME }, { name: "Ilse Brandt, Kestrel Foods" }],
    text: [
      ["1. Subject", "Fennwick Supply processes delivery addresses and the names of recipients for Kestrel Foods, only to deliver goods and only while the supply contract lasts."],
      ["2. Instructions", "The processor acts on written instructions. It tells the controller without delay when it believes that an instruction breaks data protection law."],
      ["3. Security", "Addresses are kept in the European Union, encrypted at rest, and are deleted ninety days after delivery."],
      ["4. Other processors", "No other processor is engaged without four weeks' notice, within which the controller may object."],
    ],
  },
  {
    id: "ENV-1031", title: "Shift allowance, autumn", from: ME, sent: 9,
    signers: [{ name: ME, signed: 9 }, { name: "Jonas Lindqvist", signed: 8 }, { name: "Tomasz Kowal" }],
    text: [
      ["1. Allowance", "For shifts that begin after 20:00 the company pays an allowance of 22 per cent on the hourly wage from September to November."],
      ["2. Planning", "Night shifts are published fourteen days ahead. A shift that is moved later than that counts as overtime."],
    ],
  },
  {
    id: "ENV-1018", title: "Forklift maintenance contract", from: "Jonas Lindqvist", sent: 31,
    signers: [{ name: "Jonas Lindqvist", signed: 30 }, { name: ME, signed: 29 }],
    text: [
      ["1. Service", "The contractor inspects six forklifts every 500 operating hours and answers calls within eight working hours."],
      ["2. Price", "The yearly price is 7,350 euro. Batteries and forks are charged as they are used."],
    ],
  },
];
