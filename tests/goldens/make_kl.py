"""Goldens of diffusers' AutoencoderKL and AutoencoderKLFlux2: small seeded models of their layouts.

AEDR takes the mean of the posterior, and neither scales nor shifts latents.
"""

from diffusers import AutoencoderKL, AutoencoderKLFlux2

from golden import seed_parameters, write_golden, write_tensors


def config(block_out_channels, **rest):
    levels = len(block_out_channels)
    return {
        "block_out_channels": block_out_channels,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "norm_num_groups": 4,
        "force_upcast": False,
    } | rest


#: Name: options, and a seed under which `golden.check_weights` is content.
VARIANTS = {
    # SD 1.x, SD 2.x, SDXL.
    "kl_quant": (config([8, 12, 16, 16], layers_per_block=2, latent_channels=4), 16),
    # SD 3, FLUX.1.
    "kl_no_quant": (
        config(
            [8, 8, 16, 16],
            layers_per_block=1,
            latent_channels=16,
            use_quant_conv=False,
            use_post_quant_conv=False,
        ),
        10,
    ),
    # Another depth, and a middle of two residual blocks alone.
    "kl_no_attention": (
        config([8, 12, 16], layers_per_block=1, latent_channels=4, mid_block_add_attention=False),
        1,
    ),
}


def gain(name):
    """Queries and keys large enough for attention that is far from uniform."""
    if ".to_q." in name or ".to_k." in name:
        return 2.0
    return 0.8 if name.startswith("decoder.conv_out") else 1.2


def make(name, options, seed, kind=AutoencoderKL):
    model = kind(**options)
    seed_parameters(model, seed, gain)
    folder = write_golden(
        name,
        model,
        encode=lambda image: model.encode(image).latent_dist.mean,
        decode=lambda latent: model.decode(latent).sample,
        seed=seed,
        # The same amount added to every score of a query: softmax takes no notice.
        without_effect=[".to_k.bias"],
    )
    model.save_config(folder)
    write_tensors(folder / "model.safetensors", model.state_dict())


if __name__ == "__main__":
    for name, (options, seed) in VARIANTS.items():
        make(name, options, seed)
    # FLUX.2. Its file holds more: statistics of latents, which encoding and decoding do not read.
    flux2 = config([8, 8, 16, 16], layers_per_block=1, latent_channels=32)
    del flux2["force_upcast"]
    make("kl_flux2", flux2, 2, AutoencoderKLFlux2)
