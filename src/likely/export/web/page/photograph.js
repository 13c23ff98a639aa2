// From a photograph to an image like those learned from, as `ProductPhoto` does it in Python: trimmed, scaled, sharpened,
// its background 0. Images are { width, height, channels, data }, data a Uint8Array or numbers, row by row.

const DETAIL = 8;
const ONE = 2 ** 22;

function rint(x) {
  const down = Math.floor(x), rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

// ITU-R BT.601, in whole numbers of 2^-16.
function toGray(image) {
  if (image.channels === 1) return image;
  const { width, height, data } = image, gray = new Uint8Array(width * height);
  for (let i = 0; i < gray.length; i++) {
    gray[i] = (data[3 * i] * 19595 + data[3 * i + 1] * 38470 + data[3 * i + 2] * 7471 + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: gray };
}

// Means of blocks of `factor` x `factor` pixels; those at the edges may be smaller.
function reduced(image, factor) {
  if (factor === 1) return image;
  const { channels } = image, width = Math.ceil(image.width / factor), height = Math.ceil(image.height / factor);
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const right = Math.min(image.width, (x + 1) * factor), bottom = Math.min(image.height, (y + 1) * factor);
      const n = (right - x * factor) * (bottom - y * factor);
      for (let c = 0; c < channels; c++) {
        let sum = n >> 1;
        for (let v = y * factor; v < bottom; v++) {
          for (let u = x * factor; u < right; u++) sum += image.data[(v * image.width + u) * channels + c];
        }
        data[(y * width + x) * channels + c] = Math.floor(sum / n);
      }
    }
  }
  return { width, height, channels, data };
}

const BOX = { support: 0.5, weight: (t) => (t > -0.5 && t <= 0.5 ? 1 : 0) };
const BICUBIC = {
  support: 2,
  weight(t) {
    t = Math.abs(t);
    return t < 1 ? (1.5 * t - 2.5) * t * t + 1 : t < 2 ? (((t - 5) * t + 8) * t - 4) * -0.5 : 0;
  },
};

const BILINEAR = { support: 1, weight: (t) => Math.max(0, 1 - Math.abs(t)) };

// Of each pixel of the result, the first pixel that counts and the weights of it and the next ones.
function passWeights(before, after, kernel) {
  const scale = before / after, wide = Math.max(scale, 1), support = kernel.support * wide;
  return Array.from({ length: after }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5)), last = Math.min(before, Math.trunc(center + support + 0.5));
    const weights = [];
    for (let j = first; j < last; j++) weights.push(kernel.weight((j - center + 0.5) / wide));
    const total = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((w) => Math.sign(w) * Math.floor(Math.abs(w / total) * ONE + 0.5)) };
  });
}

function level(sum) {
  return Math.min(255, Math.max(0, Math.floor((sum + ONE / 2) / ONE)));
}

function alongRows(image, width, kernel) {
  if (width === image.width) return image;
  const found = passWeights(image.width, width, kernel), data = new Uint8Array(width * image.height);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < width; x++) {
      const { first, weights } = found[x];
      let sum = 0;
      for (let j = 0; j < weights.length; j++) sum += weights[j] * image.data[y * image.width + first + j];
      data[y * width + x] = level(sum);
    }
  }
  return { width, height: image.height, channels: 1, data };
}

function alongColumns(image, height, kernel) {
  if (height === image.height) return image;
  const found = passWeights(image.height, height, kernel), { width } = image, data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const { first, weights } = found[y];
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let j = 0; j < weights.length; j++) sum += weights[j] * image.data[(first + j) * width + x];
      data[y * width + x] = level(sum);
    }
  }
  return { width, height, channels: 1, data };
}

// A gray image resized as Pillow does it; which pass comes first depends on Pillow's version.
function resizedGray(image, width, height, kernel, columnsFirst) {
  const taller = image.height - height, wider = image.width - width;
  return columnsFirst && Math.max(0, 2 * wider) < taller
    ? alongRows(alongColumns(image, height, kernel), width, kernel)
    : alongColumns(alongRows(image, width, kernel), height, kernel);
}

// The middle of a square image that already has the size of the result, its edge resized first, as `ResizeAndCrop` in
// Python.
function resizedMiddle(image, { edge, resampling }) {
  const { width, channels } = image, data = new Uint8Array(image.data.length), start = (edge - width) >> 1;
  const kernel = resampling === "bilinear" ? BILINEAR : BICUBIC;
  for (let c = 0; c < channels; c++) {
    const one = { ...image, channels: 1, data: image.data.filter((_, i) => i % channels === c) };
    const large = alongColumns(alongRows(one, edge, kernel), edge, kernel);
    for (let i = 0; i < width * width; i++) {
      data[i * channels + c] = large.data[(start + Math.floor(i / width)) * edge + start + (i % width)];
    }
  }
  return { ...image, data };
}

function cornerColor(image) {
  const { width, height, channels, data } = image, places = [0, (height - 1) * width, width - 1, width * height - 1];
  return [0, 1, 2].map((c) => {
    const values = places.map((at) => data[at * channels + (channels === 1 ? 0 : c)]).sort((a, b) => a - b);
    return (values[1] + values[2]) / 2;
  });
}

// [left, top, right, bottom] around everything unlike the background; null if nothing is.
function subjectBox(image, background, tolerance) {
  const { width, height, channels, data } = image, most = (tolerance * 255) ** 2 * 3;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let apart = 0;
      for (let c = 0; c < 3; c++) {
        apart += (data[(y * width + x) * channels + (channels === 1 ? 0 : c)] - background[c]) ** 2;
      }
      if (apart > most) {
        left = Math.min(left, x); right = Math.max(right, x);
        top = Math.min(top, y); bottom = Math.max(bottom, y);
      }
    }
  }
  return right < 0 ? null : [left, top, right + 1, bottom + 1];
}

function cropped(image, [left, top, right, bottom]) {
  const width = right - left, height = bottom - top, data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * image.width + left;
    data.set(image.data.subarray(start, start + width), y * width);
  }
  return { width, height, channels: 1, data };
}

function sharpened(image, radius, sigma) {
  if (radius === 0) return Array.from(image.data);
  const { width, height, data } = image;
  const g = (i, j) => Math.exp(-(i * i + j * j) / (2 * sigma * sigma));
  let total = 0;
  for (let i = -radius; i <= radius; i++) for (let j = -radius; j <= radius; j++) total += g(i, j);
  const inside = (v, most) => Math.min(most - 1, Math.max(0, v)), found = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let around = 0;
      for (let i = -radius; i <= radius; i++) {
        for (let j = -radius; j <= radius; j++) {
          if (i || j) around += g(i, j) * data[inside(y + i, height) * width + inside(x + j, width)];
        }
      }
      found.push((2 * total * data[y * width + x] - around) / (2 * total - (total - 1)));
    }
  }
  return found;
}

// The image as gray levels of `shape` [height, width], as `ProductPhoto` in Python.
function productPhoto(image, shape, numbers, columnsFirst) {
  const [height, width] = shape, canvas = new Uint8Array(height * width);
  const small = reduced(image, Math.max(1, Math.floor(Math.max(image.width, image.height) / (DETAIL * Math.max(...shape)))));
  const background = cornerColor(small), box = subjectBox(small, background, numbers.trim_tolerance);
  if (box === null) return canvas;
  const subject = cropped(toGray(small), box);
  const scale = Math.min(width / subject.width, height / subject.height);
  const size = [subject.width, subject.height].map((n) => Math.max(1, rint(n * scale)));
  const gray = resizedGray(subject, size[0], size[1], scale <= 1 ? BOX : BICUBIC, columnsFirst);
  const sharp = sharpened(gray, numbers.sharpen_radius, numbers.sharpen_sigma);
  const behind = background[0] * 0.299 + background[1] * 0.587 + background[2] * 0.114, light = behind >= 127.5;
  const top = (height - size[1] + 1) >> 1, left = (width - size[0] + 1) >> 1;
  for (let y = 0; y < size[1]; y++) {
    for (let x = 0; x < size[0]; x++) {
      const value = Math.min(255, Math.max(0, sharp[y * size[0] + x]));
      const away = light ? (behind - value) / behind : (value - behind) / (255 - behind);
      canvas[(top + y) * width + left + x] = rint(255 * Math.min(1, Math.max(0, away)));
    }
  }
  return canvas;
}
