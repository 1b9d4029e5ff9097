// Areas in proportion to sizes, as near to squares as they come (Bruls, Huizing and van Wijk, 2000).

/** Gives each of `items` (`{ value }`, largest first) its place in a rectangle: `[{ item, x, y, width, height }]`. */
export function squarified(items, { x, y, width, height }) {
  const placed = [];
  let rest = items.filter(({ value }) => value > 0);
  let room = { x, y, width, height };
  let total = rest.reduce((sum, { value }) => sum + value, 0);
  while (rest.length > 0 && room.width > 0 && room.height > 0) {
    const scale = (room.width * room.height) / total;
    const side = Math.min(room.width, room.height);
    let [taken, sum] = [1, rest[0].value];
    while (taken < rest.length && worst(rest, taken + 1, sum + rest[taken].value, scale, side) <= worst(rest, taken, sum, scale, side)) {
      sum += rest[taken].value;
      taken += 1;
    }
    room = laid(rest.slice(0, taken), sum * scale, scale, room, placed);
    rest = rest.slice(taken);
    total -= sum;
  }
  return placed;
}

/** How far the least square of a row is from a square. */
function worst(items, taken, sum, scale, side) {
  const area = sum * scale;
  const ratio = (value) => Math.max((side * side * value * scale) / (area * area), (area * area) / (side * side * value * scale));
  return Math.max(ratio(items[0].value), ratio(items[taken - 1].value));
}

/** Puts a row along the shorter side, and gives what is left of the room. */
function laid(row, area, scale, room, placed) {
  const isColumn = room.width >= room.height;
  const thickness = area / (isColumn ? room.height : room.width);
  let offset = 0;
  for (const item of row) {
    const length = (item.value * scale) / thickness;
    placed.push(isColumn
      ? { item, x: room.x, y: room.y + offset, width: thickness, height: length }
      : { item, x: room.x + offset, y: room.y, width: length, height: thickness });
    offset += length;
  }
  return isColumn
    ? { x: room.x + thickness, y: room.y, width: room.width - thickness, height: room.height }
    : { x: room.x, y: room.y + thickness, width: room.width, height: room.height - thickness };
}
