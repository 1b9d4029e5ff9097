// The expense claims of Fennwick Supply.
const DEFAULTS = {
  approval_limit: 400, currency: "EUR", cost_centres: ["Operations", "Warehouse", "Sales", "Customer care"],
  support_email: "expenses@example.com", organisation: "Fennwick Supply",
};

const ME = "Robin Ashdown";
const CATEGORIES = { meals: "Meals", lodging: "Lodging", travel: "Travel", supplies: "Supplies", other: "Other" };

/** Each line: number, person, title, category, cost centre (by its index), amount in euro, days ago, receipt, status, what it was for. */
const CLAIMS = [
  [3141, "Priya Raman", "Train to the carriers' fair", "travel", 0, 128.4, 3, true, "waiting", "Return ticket, second class, booked two weeks ahead."],
  [3140, "Jonas Lindqvist", "Two pallet jacks, repair", "supplies", 1, 236.0, 4, true, "waiting", "Wheels and hydraulics. New ones would have been 900."],
  [3139, "Amara Osei", "Dinner with Kestrel Foods", "meals", 2, 217.06, 5, true, "waiting", "Five people. We signed the renewal the next morning."],
  [3138, "Samir Benali", "Parking at the harbour", "travel", 0, 18.0, 6, true, "waiting", "Site visit with the port authority."],
  [3137, "Grace Whitlock", "Hotel for depot handover", "lodging", 1, 469.72, 8, true, "waiting", "Three nights near Eastgate, breakfast included."],
  [3136, "Inês Carvalho", "Headset", "supplies", 3, 74.9, 9, true, "waiting", "The old one hums on every call."],
  [3135, "Kaia Nyström", "First-aid course materials", "other", 0, 73.45, 11, true, "waiting", "Bandages and practice dummies for twelve drivers."],
  [3134, "Bram de Wit", "Taxi after the late shift", "travel", 3, 31.5, 12, false, "waiting", "The last tram had gone. The driver had no paper for receipts."],
  [3133, "Robin Ashdown", "Safety shoes", "supplies", 0, 119.0, 13, true, "waiting", "Size 43, class S3."],
  [3132, "Tomasz Kowal", "Night shift supper", "meals", 1, 72.09, 15, true, "approved", "Eleven people, stock count until four in the morning."],
  [3131, "Yuki Tanabe", "Barcode scanners for testing", "supplies", 1, 458.9, 18, true, "finance", "Two scanners of the kind that the new supplier uses."],
  [3130, "Lena Fischer", "Clipboards and markers", "supplies", 1, 42.3, 22, true, "approved", "For the stock count."],
  [3129, "Amara Osei", "Flowers for reception", "other", 3, 65.0, 26, false, "rejected", "For the open day."],
  [3128, "Priya Raman", "Flight to Zürich", "travel", 0, 360.0, 31, true, "approved", "Talks about the Alpine rounds."],
  [3127, "Grace Whitlock", "Lunch with new starters", "meals", 1, 53.39, 71, true, "waiting", "Six people on their first day."],
];
