/** How far a score of the default model may be from that of 32-bit floats on the machine that recorded it. */
export const FLOAT32_TOLERANCE = 0.02;
/** The same for the model as it is loaded by default: in eight-bit integers on x86. */
export const DEFAULT_TOLERANCE = process.arch === 'x64' ? 0.07 : FLOAT32_TOLERANCE;
