import { hasVnni } from '../../shared/classifier/vnni.ts';

/** How far a score of the default model may be from that of 32-bit floats on the machine that recorded it. */
export const FLOAT32_TOLERANCE = 0.02;
/** The same for the model as it is loaded by default: in eight-bit integers where the processor has VNNI. */
export const DEFAULT_TOLERANCE = (await hasVnni()) ? 0.07 : FLOAT32_TOLERANCE;
