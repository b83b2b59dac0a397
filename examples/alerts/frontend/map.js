// Draws the stations of one vector tile: a small reader of the Mapbox Vector Tile format, points only.
class Reader {
  constructor(bytes) { this.bytes = bytes; this.at = 0; }
  varint() {
    let value = 0, shift = 1, byte;
    do { byte = this.bytes[this.at++]; value += (byte & 127) * shift; shift *= 128; } while (byte > 127);
    return value;
  }
  block() { const size = this.varint(); this.at += size; return this.bytes.subarray(this.at - size, this.at); }
  skip(kind) { if (kind === 0) this.varint(); else if (kind === 2) this.block(); else this.at += kind === 1 ? 8 : 4; }
  // Calls fields[number](this) for each field of the message.
  each(fields) {
    while (this.at < this.bytes.length) {
      const tag = this.varint(), field = fields[tag >> 3];
      if (field) field(this); else this.skip(tag & 7);
    }
  }
}

const zigzag = (n) => (n & 1 ? -(n + 1) / 2 : n / 2);

function points(tile) {
  const found = [];
  const feature = { 4: (r) => { const g = new Reader(r.block()); g.varint(); found.push([zigzag(g.varint()), zigzag(g.varint())]); } };
  const layer = { 2: (r) => new Reader(r.block()).each(feature) };
  new Reader(tile).each({ 3: (r) => new Reader(r.block()).each(layer) });
  return found;
}

async function show() {
  const tile = await fetch('/tiles/guyane.station/6/22/31.pbf');
  const map = document.getElementById('map');
  for (const [x, y] of points(new Uint8Array(await tile.arrayBuffer()))) {
    const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
    for (const [name, value] of [['cx', x], ['cy', y], ['r', 40], ['fill', '#0a6']]) dot.setAttribute(name, value);
    map.append(dot);
  }
  const { stations } = await (await fetch('/api/stations')).json();
  for (const { name, level, alert } of stations) {
    const row = document.getElementById('stations').insertRow();
    for (const text of [name, level ?? '-', alert ? 'yes' : 'no']) row.insertCell().textContent = text;
  }
}
show();
