// Where Fennwick Supply stands, and what can be moved. Money is in thousand euro, shares are in per cent.
const START = {
  cash: ["Cash today", 1450, "What is in the bank on the first day, without the credit line."],
  revenue: ["Revenue a month", 920, "Average of the last three months, from Analytics."],
  variable: ["Variable cost, share of revenue", 58, "Fuel, freight, packaging, temporary staff."],
  people: ["People a month", 215, "Pay and social security of everybody on the payroll."],
  rent: ["Rent and other fixed cost a month", 120, "Depots, vehicles, insurance, software."],
  season: ["Seasonal swing", 9, "How far the best month lies above the average; it comes in November."],
  floor: ["Least cash", 400, "Below this the bank wants to talk."],
};

/** Key, name, unit, least, most, step, and where it stands at first. */
const LEVERS = [
  ["growth", "Growth of revenue a year", "%", -20, 40, 1, 4],
  ["price", "Change of prices, from month 3", "%", -10, 10, 0.5, 0],
  ["inflation", "Inflation of fixed cost a year", "%", 0, 12, 0.5, 3],
  ["hires", "New people, from month 4", "", 0, 40, 1, 4],
  ["invest", "Investment in month 6", "k€", 0, 1500, 50, 300],
  ["spread", "Uncertainty of revenue a year", "%", 2, 40, 1, 14],
  ["horizon", "Months ahead", "", 6, 36, 3, 18],
];
const HIRE_COST = 4.6;
const ELASTICITY = -1.3;

const READY = {
  "As planned": {},
  "Careful": { growth: 1, hires: 0, invest: 0, inflation: 4 },
  "Third depot": { growth: 14, hires: 22, invest: 1100, spread: 20, horizon: 30 },
  "Fuel crisis": { growth: -8, price: 4, inflation: 9, hires: 0, invest: 0, spread: 24 },
};
