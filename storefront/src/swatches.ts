// How colours that shops name look. A name that is not here is shown as a name alone.

const COLORS: Record<string, string> = {};
for (const [color, names] of [
  ["#f7f5f0", "white|белый"],
  ["#1d1d1f", "black|чёрный"],
  ["#8d9094", "gray|grey|серый"],
  ["#3a3d40", "charcoal|угольный"],
  ["#4a4d52", "graphite|графитовый"],
  ["#5b6b7b", "slate|графитово-синий"],
  ["#aeb6bd", "steel|silver|стальной"],
  ["#f3ead6", "cream|кремовый"],
  ["#e9e0cf", "natural|beige|натуральный|бежевый"],
  ["#ddd0b8", "oat|овсяный"],
  ["#d8cbb4", "oatmeal|овсяный меланж"],
  ["#d9bf95", "sand|песочный"],
  ["#c39a6b", "tan|светло-коричневый"],
  ["#9a5b2f", "cognac|коньячный"],
  ["#7a4a2b", "brown|коричневый"],
  ["#7b3f21", "chestnut|каштановый"],
  ["#6e4a2a", "tortoise|черепаховый"],
  ["#c4552d", "terracotta|терракотовый"],
  ["#b2522a", "rust|ржаво-рыжий"],
  ["#9c3b2c", "brick|кирпичный"],
  ["#c8262c", "red|красный"],
  ["#a31f34", "crimson|малиново-красный"],
  ["#6d1f30", "burgundy|бордовый"],
  ["#8e2a55", "berry|ягодный"],
  ["#6a3460", "plum|purple|сливовый|фиолетовый"],
  ["#d98c9a", "rose|pink|розовый"],
  ["#ef7c64", "coral|коралловый"],
  ["#e5762a", "orange|оранжевый"],
  ["#d9a02b", "mustard|горчичный"],
  ["#f0c630", "yellow|жёлтый"],
  ["#76803f", "olive|оливковый"],
  ["#5d6b3c", "moss|моховой"],
  ["#9db092", "sage|шалфейный"],
  ["#3d7a45", "green|зелёный"],
  ["#26523c", "forest|хвойный"],
  ["#1f7f80", "teal|turquoise|бирюзовый"],
  ["#93c3e6", "sky|небесно-голубой"],
  ["#3c8fd1", "azure|лазурный"],
  ["#2f62b5", "blue|синий"],
  ["#333a8c", "indigo|индиго"],
  ["#1f2d4d", "navy|тёмно-синий"],
  ["#232b45", "ink|чернильно-синий"],
] as const)
  for (const name of names.split("|")) COLORS[name] = color;

/** The colour of that name as CSS writes it, if it is known. */
export function swatchOf(name: string): string | undefined {
  return COLORS[name.toLowerCase()];
}
