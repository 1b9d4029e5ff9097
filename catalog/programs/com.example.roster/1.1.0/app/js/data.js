// The shifts of Fennwick Supply's warehouse, as a pattern that repeats every week.
const DEFAULTS = { week_starts_on: "monday", organisation: "Fennwick Supply" };

const ME = "robin";
const PEOPLE = { robin: "Robin Ashdown", jonas: "Jonas Lindqvist", priya: "Priya Raman", tomasz: "Tomasz Kowal", lena: "Lena Fischer", mateo: "Mateo Rivas" };

/** Hours of the day; a night shift ends on the next one. */
const SHIFTS = {
  early: { name: "Early", from: 6, to: 14 },
  late: { name: "Late", from: 14, to: 22 },
  night: { name: "Night", from: 22, to: 30 },
};

const RULES = { rest: 11, week: 40 };
const DAY_NAMES = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** Who works what, from Sunday to Saturday; a dash is a day off. */
const PATTERN = {
  robin: "- early early late late - -",
  jonas: "- late early early early early -",
  priya: "early early early - - late -",
  tomasz: "night night night night - - -",
  lena: "- - late late - early early",
  mateo: "- - - night night night night",
};

/** Days on which somebody cannot work, by the shifts that are out. */
const AWAY = { robin: { 5: ["late", "night"] }, lena: { 6: ["early"] }, jonas: { 0: ["early", "late", "night"] } };
