//! Kernels as candle custom operations: closures over contiguous f32 slices, for tensors on the CPU.
use candle_core::{CpuStorage, CustomOp1, CustomOp3, InplaceOp2, Layout, Result, Shape, Tensor, bail};

/// The contiguous numbers of a CPU tensor.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout, name: &str) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(data), Some((start, end))) => Ok(&data[start..end]),
        (_, None) => bail!("{name}: the tensor is not contiguous"),
        _ => bail!("{name}: the tensor is not f32"),
    }
}

struct Map1<'a, F>(&'a str, Shape, F);
struct Map3<'a, F>(&'a str, Shape, F);
struct Update<'a, F>(&'a str, F);

/// `f(x)` as a new tensor of the given shape.
pub fn map1(name: &str, x: &Tensor, shape: impl Into<Shape>, f: impl Fn(&[f32]) -> Vec<f32>) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&Map1(name, shape.into(), f))
}

/// `f(a, b, c)` as a new tensor of the given shape.
pub fn map3(
    name: &str,
    (a, b, c): (&Tensor, &Tensor, &Tensor),
    shape: impl Into<Shape>,
    f: impl Fn(&[f32], &[f32], &[f32]) -> Vec<f32>,
) -> Result<Tensor> {
    a.contiguous()?.apply_op3_no_bwd(b, c, &Map3(name, shape.into(), f))
}

/// `f(target, x)` changes `target` in place.
pub fn update(name: &str, target: &Tensor, x: &Tensor, f: impl Fn(&mut [f32], &[f32])) -> Result<()> {
    target.inplace_op2(&x.contiguous()?, &Update(name, f))
}

impl<F: Fn(&[f32]) -> Vec<f32>> CustomOp1 for Map1<'_, F> {
    fn name(&self) -> &'static str {
        "anubad kernel"
    }
    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        finish(self.0, (self.2)(slice(s, l, self.0)?), &self.1)
    }
}

impl<F: Fn(&[f32], &[f32], &[f32]) -> Vec<f32>> CustomOp3 for Map3<'_, F> {
    fn name(&self) -> &'static str {
        "anubad kernel"
    }
    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let out = (self.2)(slice(s1, l1, self.0)?, slice(s2, l2, self.0)?, slice(s3, l3, self.0)?);
        finish(self.0, out, &self.1)
    }
}

impl<F: Fn(&mut [f32], &[f32])> InplaceOp2 for Update<'_, F> {
    fn name(&self) -> &'static str {
        "anubad kernel"
    }
    fn cpu_fwd(&self, s1: &mut CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<()> {
        let Some((start, end)) = l1.contiguous_offsets() else { bail!("{}: the target is not contiguous", self.0) };
        let CpuStorage::F32(data) = s1 else { bail!("{}: the target is not f32", self.0) };
        (self.1)(&mut data[start..end], slice(s2, l2, self.0)?);
        Ok(())
    }
}

fn finish(name: &str, out: Vec<f32>, shape: &Shape) -> Result<(CpuStorage, Shape)> {
    if out.len() != shape.elem_count() {
        bail!("{name}: {} numbers for the shape {shape:?}", out.len())
    }
    Ok((CpuStorage::F32(out), shape.clone()))
}

/// A vector whose content a kernel overwrites completely.
pub fn buffer(len: usize) -> Vec<f32> {
    vec![0.0; len]
}
