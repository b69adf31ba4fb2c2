// Spectral attention as one would write it in C for one machine: the limit for the kernel "cpu" to approach.
// Nothing guards against overflow. Exponents are of two; rows of w are padded to `width` with a very small exponent.
#include <math.h>
#include <stdint.h>
#include <string.h>

// A page and a quarter: what is stored to one array must not look, by its address within a page, like what is loaded
// from another. With whole pages the loop took up to five times as long, in some threads of some processes.
#define MOST_BANDS (1024 + 256)

static inline float power_of_two(float z) {
  const float whole = rintf(z), rest = z - whole;
  float p = 0.001327647203f;
  p = p * rest + 0.00967554148f;
  p = p * rest + 0.05550713275f;
  p = p * rest + 0.2402211972f;
  p = p * rest + 0.6931469671f;
  p = p * rest + 1.0f;
  int32_t bits;
  memcpy(&bits, &p, 4);
  bits += (int32_t)whole << 23;
  memcpy(&p, &bits, 4);
  return p;
}

void attend(const float *spectra, const float *product, const float *keys, const float *queries, const float *w,
            float *weights, int64_t pixels, int64_t heads, int64_t bands, int64_t width) {
  float x[MOST_BANDS] __attribute__((aligned(64))) = {0}, u[MOST_BANDS] __attribute__((aligned(64))) = {0};
  float e[MOST_BANDS] __attribute__((aligned(64))), sum[MOST_BANDS] __attribute__((aligned(64)));
  for (int64_t p = 0; p < pixels; p++) {
    memcpy(x, spectra + p * bands, bands * sizeof(float));
    for (int64_t h = 0; h < heads; h++) {
      memcpy(u, keys + h * bands, bands * sizeof(float));
      memset(e, 0, sizeof(e));
      memset(sum, 0, sizeof(sum));
      float share = 0;
      for (int64_t i = 0; i < bands; i++) {
        const float *place = w + (h * bands + i) * width;
        const float own = x[i], turned = own * product[h] + queries[h * bands + i];
        float total = 0;
        for (int64_t j = 0; j < width; j++) {
          sum[j] += share * e[j];  // the row before
          const float entry = power_of_two(place[j] + own * u[j] + turned * x[j]);
          e[j] = entry;
          total += entry;
        }
        share = 1.0f / (total * bands);
      }
      for (int64_t j = 0; j < bands; j++) weights[(p * heads + h) * bands + j] = sum[j] + share * e[j];
    }
  }
}
