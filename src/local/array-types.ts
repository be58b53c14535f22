/** Types whose values Neon turns into JSON values of their own; all others stay text. */
export const typeOid = {
  bool: 16,
  int2: 21,
  int4: 23,
  json: 114,
  float4: 700,
  float8: 701,
  jsonb: 3802,
} as const;

const text = 25;

/** Arrays whose elements are converted, by the object id of the array type. */
const convertedElements: [array: number, element: number][] = [
  [1000, typeOid.bool],
  [1005, typeOid.int2],
  [1007, typeOid.int4],
  [199, typeOid.json],
  [1021, typeOid.float4],
  [1022, typeOid.float8],
  [3807, typeOid.jsonb],
];

/** The other arrays in Postgres' catalogue whose delimiter is a comma, which leaves out `box[]`. */
const textElements = [
  143, 210, 270, 271, 272, 273, 629, 651, 719, 775, 791, 1001, 1002, 1003, 1006, 1008, 1009, 1010, 1011, 1012,
  1013, 1014, 1015, 1016, 1017, 1018, 1019, 1027, 1028, 1034, 1040, 1041, 1115, 1182, 1183, 1185, 1187, 1231,
  1263, 1270, 1561, 1563, 2201, 2207, 2208, 2209, 2210, 2211, 2949, 2951, 3221, 3643, 3644, 3645, 3735, 3770,
  3905, 3907, 3909, 3911, 3913, 3927, 4073, 4090, 4097, 4192, 5039, 6150, 6151, 6152, 6153, 6155, 6157,
];

/** From the object id of a built-in array type to that of its elements, as far as conversion asks. */
export const elementTypes: ReadonlyMap<number, number> = new Map([
  ...convertedElements,
  ...textElements.map((array): [number, number] => [array, text]),
]);
